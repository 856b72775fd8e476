#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/agent_core.h"
#include "tests/fakes/memory_journal.h"

namespace fleetmark::agent {

// An AgentCore with everything around it played by the test: a clock that stands still, a journal in memory that is
// written when a batch commits, and requests that are right unless a test spoils them.
class CoreHarness {
 public:
  CoreHarness();

  // One batch of one event: commits its writes and returns its effects.
  Outcome Step(const Event& event);
  // As Step, with a commit that fails.
  Outcome StepWithoutCommit(const Event& event);
  // A new agent process that finds the journal as it is; `reboot` gives the machine a new boot id.
  Outcome Restart(bool reboot = false);
  Outcome Tick() { return Step(agent::Tick{}); }
  void Advance(double seconds);

  v1::Fence Fence(double seq, int epoch = 1) const;
  v1::StartRunRequest StartRequest(const std::string& attempt_id = "a") const;
  // With the hash that belongs to its spec.
  static v1::StartRunRequest Rehashed(v1::StartRunRequest request);

  // The answer to the call that Step just made; its status, or its AttemptStatus' state.
  Status Start(const v1::StartRunRequest& request, Status lock = OkStatus());
  std::string StartState(const v1::StartRunRequest& request);
  std::string Cancel(const std::string& attempt_id, double seq, double grace_s = 0,
                     const std::string& incarnation = "");
  Status Drain(bool on, double seq);
  StatusOr<v1::SyncResponse> Sync(v1::SyncRequest request);
  v1::SyncRequest SyncRequest(const std::vector<std::string>& desired, double seq) const;

  // Takes an attempt through to an open gate, or to its report.
  void Run(const std::string& attempt_id);
  void End(const std::string& attempt_id, const std::string& outcome = "succeeded");
  v1::AttemptReport Report(const std::string& attempt_id) const;

  template <typename T>
  static const T* Find(const Outcome& outcome) {
    for (const Effect& effect : outcome.effects) {
      if (const T* found = std::get_if<T>(&effect)) return found;
    }
    return nullptr;
  }
  template <typename T>
  bool Did() const {
    return Find<T>(last_) != nullptr;
  }
  // How many workers were spawned for this attempt, over all restarts.
  int spawns(const std::string& attempt_id) const;

  MemoryJournal memory_journal_;
  JournalContents& journal_ = memory_journal_.contents;
  std::map<std::string, std::string>& reports_ = memory_journal_.reports;
  std::string boot_id_ = "boot-1";
  Moment now_{1'700'000'000 * kNanosPerSecond, 1'000 * kNanosPerSecond};
  Offer offer_;
  std::optional<AgentCore> core_;
  Outcome last_;

 private:
  std::map<std::string, int> spawns_;
};

}  // namespace fleetmark::agent
