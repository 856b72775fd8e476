#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "agent/admission.h"
#include "agent/agent_events.h"
#include "agent/attempt.h"
#include "common/clock.h"

namespace fleetmark::simulation {
class CoreReader;
}

namespace fleetmark::agent {

// Everything an agent decides, as a deterministic state machine. It owns no thread, clock, file, process or random
// source: what happens comes in as an Event, what is to be done leaves as writes and effects. The caller commits the
// writes of a batch of events in one transaction and only then performs its effects; when the commit fails it rolls
// back and performs none. Used from one thread.
class AgentCore {
 public:
  struct Identity {
    std::string boot_id;     // of the machine
    std::string process_id;  // of this agent process
  };
  AgentCore(Identity identity, Offer offer, JournalContents contents);

  // Forgets how to undo what came before; Rollback then returns to this point.
  void BeginBatch();
  void Rollback();

  // `now` must not go back.
  void Step(const Event& event, Moment now, Outcome* out);

  // CLOCK_BOOTTIME in nanoseconds at which a Tick has something to do; empty when only an event can change anything.
  std::optional<int64_t> NextDeadline() const;

  const FenceRecord& fence() const { return state_.fence; }
  // CLOCK_BOOTTIME in nanoseconds of the last Sync that was accepted; 0 before the first.
  int64_t last_sync_ns() const { return state_.last_sync_ns; }
  bool has_live_attempts() const;

 private:
  friend class simulation::CoreReader;  // of tests/simulation

  struct PendingSync {
    CallId call;
    int64_t deadline_ns;
  };
  // Small enough to be copied at each batch; attempts are copied one by one as they are edited.
  struct State {
    FenceRecord fence;
    bool is_draining = false;
    bool is_stopping = false;
    Status capacity;
    int64_t lease_until_ns = 0;
    int64_t last_sync_ns = 0;
    bool is_recovered = false;  // what the journal held was taken care of
    int32_t revision = 1;
    std::optional<PendingSync> pending_sync;
  };

  // agent_core_calls.cc
  void On(const StartRunCall& event);
  void On(const CancelRunCall& event);
  void On(const SyncCall& event);
  void On(const DrainCall& event);
  void On(const CallGone& event);
  // agent_core.cc
  void On(const AgentStarted& event);
  void On(const WorkerSpawned& event);
  void On(const SpawnFailed& event);
  void On(const WorkerEnded& event);
  void On(const StaleWorkerGone& event);
  void On(const CapacityChanged& event);
  void On(const StopRequested& event);
  void On(const Tick& event);
  void On(const PurgeDue& event);

  std::optional<v1::AttemptStatus> KnownStatus(const std::string& attempt_id) const;
  Status CheckIncarnation(const std::string& planned_for) const;
  Status CheckAddressee(const v1::StartRunRequest& request) const;
  Status CheckStart(const StartRunCall& event) const;
  void AcceptFence(const v1::Fence& fence);
  void Acknowledge(const v1::Ack& ack);
  void CancelUndesired(const v1::SyncRequest& request);
  v1::SyncResponse DescribeState() const;
  void AnswerPendingSync();

  void BeginEnding(const std::string& attempt_id, EndCause cause, const std::string& reason, double grace_s);
  void Finish(const std::string& attempt_id, v1::AttemptReport draft);
  void Retire(const std::string& attempt_id, RetiredAttempt retired);
  bool IsKnownLive(const std::string& attempt_id) const;
  void CheckDeadlines();
  void StopWhenIdle();
  void Announce(const std::string& attempt_id);
  void ReplyTo(CallId call, Status status, CallResponse response = {});
  void Log(bool is_warning, std::string text);

  Attempt& EditAttempt(const std::string& attempt_id);
  void EraseAttempt(const std::string& attempt_id);
  void SetRetired(const std::string& attempt_id, std::optional<RetiredAttempt> retired);

  const Identity identity_;
  const Offer offer_;
  const std::string incarnation_;
  State state_;
  std::map<std::string, Attempt> attempts_;
  std::map<std::string, RetiredAttempt> retired_;

  // As it was at BeginBatch.
  State saved_state_;
  std::map<std::string, std::optional<Attempt>> saved_attempts_;
  std::map<std::string, std::optional<RetiredAttempt>> saved_retired_;

  // Of the Step in progress.
  Moment now_;
  Outcome* out_ = nullptr;
};

}  // namespace fleetmark::agent
