#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "agent/agent_events.h"
#include "tests/simulation/machine.h"
#include "tests/simulation/memory_store.h"

namespace fleetmark::simulation {

// An invariant of design.md section 5, by its number (0: something that is wrong by itself), and what happened.
struct Violation {
  int invariant = 0;
  std::string what;
};

// Sees everything that any program of the simulation does, which none of them can, and throws a Violation at the first
// thing that must never be.
class Monitor {
 public:
  explicit Monitor(const std::vector<std::unique_ptr<Machine>>* machines) : machines_(machines) {}

  // An agent has started a process (it stands behind its gate), opened its gate.
  void OnSpawn(const Machine& machine, const Worker& worker, const v1::RunSpec& spec, const v1::WorkloadSpec& offered);
  void OnGateOpen(const Worker& worker);
  // An agent accepted a call. `journal` names the journal: one that was lost knows no fence.
  void OnFenceAccepted(const std::string& journal, const v1::Fence& fence);
  void OnStartAccepted(const v1::StartRunRequest& request, const v1::AttemptStatus& status);
  void OnCancelAccepted(const std::string& attempt_id, const v1::AttemptStatus& status);
  // An agent forgets the report of an attempt.
  void OnPruned(const std::string& attempt_id, const std::string& sha256);

  // A coordinator calls an agent.
  void OnCalled(int agent, int64_t now_ns);
  void OnStartSent(const MemoryStore& store, const v1::StartRunRequest& request);
  void OnSyncSent(const MemoryStore& store, const v1::SyncRequest& request);
  void OnCommitted(const MemoryStore& store, const std::vector<Write>& writes);
  void OnCommitFailed(const Status& status);
  // A person was told that the job is accepted.
  void OnAccepted(const std::string& request_id, const std::string& job_id);

  // From now on a run may be with two coordinators, or twice with one that has forgotten the first time.
  void OnCopied() { is_copied_ = true; }
  // What came after the backup is forgotten by everybody but the agents.
  void OnRestored(const MemoryStore& backup);

  // Of the liveness phase: everything that was accepted is there and has ended.
  void CheckAllEnded(const MemoryStore& store) const;

  // The highest fence that was accepted with this journal.
  v1::Fence FenceOf(const std::string& journal) const;
  // What its next findings depend on, but for the fences.
  void Describe(Digest* digest) const;
  int spawns() const { return static_cast<int>(spawns_.size()); }

 private:
  void CheckRun(const MemoryStore& store, const RunRecord& run);
  void CheckAttempt(const MemoryStore& store, const AttemptRecord& attempt);

  const std::vector<std::unique_ptr<Machine>>* const machines_;
  bool is_copied_ = false;
  std::map<int, std::pair<int64_t, int>> calls_;          // by agent: in which second, and how many in it
  std::map<std::string, int> spawns_;                     // by attempt
  std::map<std::string, std::string> specs_;              // hash, by attempt
  std::set<std::string> tombstones_;                      // attempts
  std::set<std::string> refused_;                         // attempts
  std::map<std::string, v1::Fence> fences_;               // by journal
  std::set<std::pair<std::string, std::string>> stored_;  // attempt, sha256: by any coordinator at any time
  std::map<std::pair<const MemoryStore*, std::string>, RunState> ended_;  // runs, by whose
  std::map<std::string, std::string> accepted_;                           // request -> job
};

}  // namespace fleetmark::simulation
