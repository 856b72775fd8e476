#include "tests/simulation/core_reader.h"

#include "common/run_spec.h"
#include "coordinator/agent_link.h"

namespace fleetmark::simulation {
namespace {

using Order = Digest::Order;

void DescribeAttempt(const fleetmark::Attempt& attempt, int agent, int64_t now_ns, Digest* digest) {
  digest->Add(attempt.record.attempt_id);
  digest->Add(attempt.is_start_pending);
  digest->Add(attempt.is_cancel_pending);
  digest->Add(attempt.is_cancelling);
  digest->Add(attempt.cancel_failures);
  digest->AddBound(Order::kCall, agent, static_cast<double>(attempt.absence_counts_from));
  digest->AddHash(attempt.record.attempt_id, attempt.pending_sha256);
  digest->Add(attempt.is_fetching);
  digest->Add(attempt.fetch_failures);
  digest->AddNotBefore(attempt.fetch_not_before_ns, now_ns);
}

void DescribeOrder(const fleetmark::Order& order, Digest* digest) {
  digest->Add(order.kind);
  digest->Add(order.attempt_id);
}

void DescribeAgent(const fleetmark::Agent& agent, const Digest::Reference& there, int epoch, int64_t now_ns,
                   Digest* digest) {
  digest->Add(agent.id());
  digest->Add(agent.is_online);
  digest->Add(agent.is_synced);
  digest->Add(agent.link);
  digest->AddOrdered(Order::kCall, there.agent, static_cast<double>(agent.call));
  digest->Add(agent.failures);
  digest->AddNotBefore(agent.retry_at_ns, now_ns);
  digest->AddTime(agent.last_heard_ns, now_ns);
  digest->AddRevision(agent.known_revision, there);
  digest->Add(agent.boot_id);
  digest->AddTime(BoottimeThere(agent, now_ns), there.boottime_ns);
  digest->Add(agent.is_leased);
  digest->AddTime(agent.lease_ends_ns, now_ns);
  digest->Add(agent.is_draining_there);
  digest->Add(agent.not_accepting);
  digest->Add(agent.strange_attempts);
  digest->Add(agent.refusal);
  digest->Add(agent.refusals);
  digest->AddNotBefore(agent.refused_until_ns, now_ns);
  digest->AddFence(epoch, static_cast<double>(agent.seq), there);
  for (const fleetmark::Order& order : agent.orders) DescribeOrder(order, digest);
  digest->Add(agent.is_order_under_way);
  if (agent.is_order_under_way) DescribeOrder(agent.order_under_way, digest);
  for (const auto& [id, attempt] : agent.attempts) DescribeAttempt(*attempt, there.agent, now_ns, digest);
  digest->Add(agent.acks.size());
  for (const auto& [id, ack] : agent.acks) {
    digest->Add(id);
    digest->AddHash(id, ack.sha256);
    digest->Add(ack.sent_with != 0);
    digest->AddOrdered(Order::kCall, there.agent, static_cast<double>(ack.sent_with));
  }
  digest->AddTime(agent.acks_waiting_since_ns, now_ns);
  for (const auto& [id, stray] : agent.strays) {
    digest->Add(id);
    digest->Add(stray.status.state());
    digest->AddHash(id, stray.sha256);
    digest->Add(stray.is_known);
    digest->Add(stray.is_looked_up);
    digest->Add(stray.is_fetching);
    digest->AddNotBefore(stray.not_before_ns, now_ns);
  }
}

}  // namespace

void CoreReader::Describe(const agent::AgentCore& core, int agent, int64_t boottime_ns, Digest* digest) {
  const agent::AgentCore::State& state = core.state_;
  digest->Add(state.is_stopping);
  digest->Add(state.capacity.code());
  digest->AddNotBefore(state.lease_until_ns, boottime_ns);
  digest->AddTime(state.last_sync_ns, boottime_ns);
  digest->Add(state.is_recovered);
  digest->Add(state.pending_sync.has_value());
  if (state.pending_sync) {
    digest->AddOrdered(Order::kAgentCall, agent, static_cast<double>(state.pending_sync->call));
    digest->AddTime(state.pending_sync->deadline_ns, boottime_ns);
  }
  for (const auto& [id, attempt] : core.attempts_) {
    digest->Add(id);
    digest->Add(attempt.state);
    digest->Add(attempt.cause);
    digest->Add(attempt.reason);
    digest->AddTime(attempt.runtime_deadline_ns, boottime_ns);
    digest->AddTime(attempt.kill_at_ns, boottime_ns);
  }
  // A refusal leaves a tombstone that no journal has.
  for (const auto& [id, retired] : core.retired_) {
    digest->Add(id);
    digest->Add(retired.keep_until.boot_id());
    digest->AddNotBefore(retired.keep_until.boottime_ns(), boottime_ns);
  }
}

void CoreReader::Describe(const CoordinatorCore& core, const std::map<std::string, Digest::Reference>& agents,
                          int64_t boottime_ns, Digest* digest) {
  const CoreState& state = core.state_;
  digest->AddNotBefore(state.any_held_until_ns, boottime_ns);
  digest->Add(state.has_new_any_run);
  for (const Agent* agent : state.put_off) {
    if (agents.contains(agent->id())) digest->Add(agent->id());
  }
  digest->Add(0);
  for (const auto& [id, agent] : state.agents) {
    if (!agents.contains(id)) continue;
    DescribeAgent(*agent, agents.at(id), state.config.epoch.coordinator_epoch, boottime_ns, digest);
  }
  for (const auto& [name, queue] : state.queues) {
    for (const auto& [key, run] : queue.runs) {
      const std::string& agent_id = run->record.target_agent_id;
      if (!agent_id.empty() && !agents.contains(agent_id)) continue;
      digest->Add(name);
      digest->Add(run->record.run_id);
    }
  }
  for (const auto& [call, admission] : state.admissions) {
    if (state.agents.contains(admission.claimed_agent_id) && !agents.contains(admission.claimed_agent_id)) continue;
    const auto there = agents.find(admission.claimed_agent_id);
    digest->AddOrdered(Order::kCall, there == agents.end() ? -1 : there->second.agent, static_cast<double>(call));
    digest->AddOrdered(Order::kReply, 0, static_cast<double>(admission.reply));
    digest->Add(admission.address);
    digest->Add(admission.is_registration);
    digest->Add(admission.is_asking_old_address);
    digest->Add(DeterministicBytes(admission.description));
  }
}

}  // namespace fleetmark::simulation
