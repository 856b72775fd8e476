#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "common/status.h"

// Moments at which a test has a process die as by kill -9: FLEETMARK_FAILPOINT=NAME or NAME:COUNT, the COUNT-th time
// that it, or a child that it forked, comes by. Unarmed, passing one costs a comparison.
namespace fleetmark {

// All there are, in the order of a run's way. Each is passed at one place, which says what a crash there leaves.
inline constexpr std::array<std::string_view, 32> kFailPoints = {
    "store.epoch_begun",           // coordinator: a new epoch is stored that nobody has heard of
    "store.in_transaction",        // some writes are made, none is committed
    "store.committed",             // nothing has left yet
    "coordinator.before_reply",    // what was asked for is stored, and its asker does not know
    "coordinator.before_start",    // dispatched, StartRun not sent
    "coordinator.start_sent",      // perhaps with the agent
    "coordinator.before_cancel",   // a cancel is stored, CancelRun not sent
    "coordinator.cancel_sent",     // perhaps with the agent
    "coordinator.order_answered",  // either of them, and not stored
    "coordinator.before_fetch",    // a report is announced
    "coordinator.fetched",         // and not stored
    "coordinator.before_ack",      // stored, and its agent does not know
    "coordinator.ack_sent",        // perhaps with the agent
    "agent.journal_opened",        // nothing in it was looked at, and a new agent has no id yet
    "agent.identity_made",         // nothing was begun with it
    "agent.before_stale_kill",     // of what an earlier process of this agent left
    "agent.stale_killed",          // and not journaled
    "journal.in_transaction",      // some writes are made, none is committed
    "journal.committed",           // nothing has left yet
    "agent.before_fork",           // ACCEPTED
    "agent.forked",                // ACCEPTED, and a worker waits behind its gate
    "agent.before_gate",           // SPAWNED, and the worker still waits
    "agent.gate_opened",           // the worker begins
    "worker.behind_gate",          // its process waits
    "worker.before_exec",          // its process begins
    "agent.before_announce",       // journaled, and nobody has been told
    "agent.before_reply",          // likewise
    "agent.before_signal",         // a cancel is journaled, its worker goes on
    "agent.worker_reaped",         // a worker has ended, its report is not journaled
    "journal.report_put",          // in the transaction of a report
    "journal.attempt_erased",      // in the transaction of an ack
    "agent.stopping",              // asked to end, and what runs has not
};

// A name that the compiler has found in kFailPoints.
class FailPointName {
 public:
  consteval FailPointName(const char* name) : index_(IndexOf(name)) {}
  constexpr int index() const { return index_; }

 private:
  static consteval int IndexOf(std::string_view name) {
    for (size_t i = 0; i < kFailPoints.size(); ++i) {
      if (kFailPoints[i] == name) return static_cast<int>(i);
    }
    throw "no such fail point";
  }
  int index_;
};

// Reads FLEETMARK_FAILPOINT; call it before there are threads. INVALID_ARGUMENT, with all names, when it has none of
// them.
Status ArmFailPoint();

namespace internal {
inline int armed_fail_point = -1;
void PassArmedFailPoint();
}  // namespace internal

// Does not return when it is armed and it is time. Thread-safe, and may be called between fork and exec.
inline void FailPoint(FailPointName name) {
  if (internal::armed_fail_point == name.index()) internal::PassArmedFailPoint();
}

}  // namespace fleetmark
