#include "coordinator/reconcile.h"

#include <set>

#include "coordinator/adoption.h"
#include "coordinator/order_queue.h"
#include "coordinator/result_intake.h"
#include "coordinator/run_state.h"

namespace fleetmark {
namespace {

Attempt* FindHere(Agent& agent, const std::string& attempt_id) {
  const auto found = agent.attempts.find(attempt_id);
  return found == agent.attempts.end() ? nullptr : found->second;
}

void TakeStatuses(StepContext& step, Agent& agent, const v1::SyncResponse& response) {
  agent.strange_attempts = 0;
  for (const v1::AttemptStatus& status : response.attempts()) {
    const bool is_live = status.state() == "accepted" || status.state() == "running" || status.state() == "cancelling";
    if (Attempt* attempt = FindHere(agent, status.attempt_id())) {
      ApplyStatus(step, agent, *attempt, status);
    } else if (is_live) {
      // Not desired, so the agent is ending it; until then its machine is taken.
      ++agent.strange_attempts;
      if (IsAdoptable(step.state, agent, status)) OfferStray(step, agent, status, "");
    }
  }
}

v1::AttemptStatus StatusOf(const v1::SyncResponse& response, const std::string& attempt_id) {
  for (const v1::AttemptStatus& status : response.attempts()) {
    if (status.attempt_id() == attempt_id) return status;
  }
  v1::AttemptStatus status;
  status.set_attempt_id(attempt_id);
  return status;
}

void TakePendingResults(StepContext& step, Agent& agent, const v1::SyncResponse& response) {
  for (const v1::PendingResult& pending : response.pending_results()) {
    if (Attempt* attempt = FindHere(agent, pending.attempt_id())) {
      MarkResultReady(step, *attempt);
      attempt->pending_sha256 = pending.sha256();
      FetchIfDue(step, agent, *attempt);
      continue;
    }
    const auto ack = agent.acks.find(pending.attempt_id());
    if (ack != agent.acks.end() && ack->second.sha256 == pending.sha256()) continue;
    OfferStray(step, agent, StatusOf(response, pending.attempt_id()), pending.sha256());
  }
}

std::set<std::string> IdsOf(const auto& entries) {
  std::set<std::string> ids;
  for (const auto& entry : entries) ids.insert(entry.attempt_id());
  return ids;
}

// Acks are owed until a Sync that carried them shows that the agent has pruned.
void DropSettled(Agent& agent, uint64_t call, const v1::SyncResponse& response, const std::set<std::string>& listed) {
  const std::set<std::string> pending = IdsOf(response.pending_results());
  std::erase_if(agent.acks, [&](const auto& entry) {
    return !pending.contains(entry.first) && entry.second.sent_with != 0 && entry.second.sent_with <= call;
  });
  std::erase_if(agent.strays,
                [&](const auto& entry) { return !listed.contains(entry.first) && !entry.second.is_fetching; });
}

// It is not there, though a Sync sent after StartRun was answered says what is.
void OnMissing(StepContext& step, Agent& agent, Attempt& attempt) {
  if (attempt.record.incarnation != agent.record.description.incarnation()) {
    EndWithoutReport(step, attempt, "agent_restarted",
                     "agent " + agent.name() + " lost its journal while the run was with it");
  } else {
    // The answer, a tombstone, makes sure that a StartRun that is still on its way starts nothing.
    OrderCancel(step, agent, attempt);
  }
}

}  // namespace

void Reconcile(StepContext& step, Agent& agent, uint64_t call, const v1::SyncResponse& response) {
  agent.is_draining_there = response.draining();
  agent.not_accepting = response.not_accepting();
  TakeStatuses(step, agent, response);
  TakePendingResults(step, agent, response);
  std::set<std::string> listed = IdsOf(response.attempts());
  listed.merge(IdsOf(response.pending_results()));
  DropSettled(agent, call, response, listed);
  std::vector<Attempt*> attempts;  // what follows may end some
  for (const auto& [id, attempt] : agent.attempts) attempts.push_back(attempt);
  for (Attempt* attempt : attempts) {
    if (attempt->is_start_pending || attempt->is_cancel_pending) continue;
    const bool is_listed = listed.contains(attempt->record.attempt_id);
    if (!is_listed && call >= attempt->absence_counts_from) {
      OnMissing(step, agent, *attempt);
    } else if (is_listed && attempt->run->record.cancel_requested && !attempt->is_cancelling &&
               attempt->record.state != AttemptState::kResultReady) {
      OrderCancel(step, agent, *attempt);
    }
  }
  if (agent.is_draining_there != agent.record.draining) OrderDrain(step, agent);
}

}  // namespace fleetmark
