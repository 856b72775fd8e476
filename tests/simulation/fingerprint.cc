#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "common/overloaded.h"
#include "common/run_spec.h"
#include "tests/simulation/core_reader.h"
#include "tests/simulation/digest.h"
#include "tests/simulation/world.h"

// What decides how a world goes on, part by part. Times by people's clocks do not.
namespace fleetmark::simulation {
namespace {

// What follows from a report; its times do not count.
void DescribeReport(const std::string& bytes, Digest* digest) {
  v1::AttemptReport report;
  report.ParseFromString(bytes);
  digest->Add(report.outcome());
  digest->Add(report.failure().kind());
  digest->Add(report.retryable());
}

void DescribeRequest(const Request& request, const Digest::Reference& reference, Digest* digest) {
  digest->Add(request.index());
  std::visit(Overloaded{[&](const FetchReport& fetch) {
                          digest->Add(fetch.attempt_id);
                          digest->AddHash(fetch.attempt_id, fetch.sha256);
                        },
                        [&](const auto& typed) { digest->AddMessage(typed, reference); }},
             request);
}

}  // namespace

void MemoryStore::Describe(const std::map<std::string, Digest::Reference>& agents, Digest* digest) const {
  digest->Add(epoch_);
  digest->Add(static_cast<int64_t>(longest_lease_s_));
  const auto is_of_others = [&](const std::string& agent_id) {
    return !agent_id.empty() && !agents.contains(agent_id);
  };
  for (const auto& [id, agent] : agents_) {
    if (is_of_others(id)) continue;
    digest->Add(id);
    digest->Add(agent.address);
    digest->Add(DeterministicBytes(agent.description));
    digest->Add(agent.draining);
    digest->Add(agent.removed);
    digest->Add(agent.offline_since_unix_s > 0);
  }
  for (const auto& [request, job] : job_of_request_) {
    digest->Add(request);
    digest->Add(job);
    const std::vector<std::string>& runs = runs_of_job_.at(job);
    const bool is_active = std::any_of(runs.begin(), runs.end(), [&](const std::string& run) {
      return active_.contains(run) && !is_of_others(runs_.at(run).target_agent_id);
    });
    // Which of them comes first in the queue.
    if (is_active) digest->AddOrdered(Digest::Order::kJob, 0, static_cast<double>(jobs_.at(job).sequence));
  }
  for (const auto& [id, run] : runs_) {
    if (is_of_others(run.target_agent_id)) continue;
    digest->Add(id);
    digest->Add(run.state);
    digest->Add(run.agent_id);
    digest->Add(run.attempts);
    digest->Add(run.retries_used);
    digest->Add(run.cancel_requested);
    digest->Add(run.failure.kind());
  }
  for (const auto& [id, attempt] : attempts_) {
    if (is_of_others(attempt.agent_id)) continue;
    digest->Add(id);
    digest->Add(attempt.state);
    digest->Add(attempt.outcome);
    digest->Add(attempt.incarnation);
    digest->AddHash(id, attempt.report_sha256);
    if (const auto agent = agents.find(attempt.agent_id); agent != agents.end() && !HasEnded(attempt)) {
      digest->AddMessage(attempt.start_by, agent->second);
      // When its lease runs out is counted from here.
      if (attempt.kill_on_disconnect) digest->AddTime(attempt.start_by.boottime_ns(), agent->second.boottime_ns);
    }
  }
  for (const auto& [id, report] : reports_) {
    if (is_of_others(attempts_.at(id).agent_id)) continue;
    digest->Add(id);
    digest->AddHash(id, report.sha256);
    digest->Add(report.is_canonical);
  }
  for (const auto& [attempt, hash] : kept_) {
    if (!is_of_others(attempts_.at(attempt).agent_id)) digest->AddHash(attempt, hash);
  }
}

// The fences that it has seen accepted are told beside the agents' journals; what it has seen stored is in the store.
// How often an agent is called in a second is left to the simulator.
void Monitor::Describe(Digest* digest) const {
  for (const auto& [attempt, count] : spawns_) digest->Add(attempt);
  digest->Add(0);
  for (const auto& [attempt, hash] : specs_) digest->Add(attempt);
  digest->Add(0);
  for (const std::string& attempt : tombstones_) digest->Add(attempt);
  digest->Add(0);
  for (const std::string& attempt : refused_) digest->Add(attempt);
  digest->Add(0);
  for (const auto& [request, job] : accepted_) digest->Add(request);
}

Digest::Reference AgentProcess::reference() const {
  return {index_, machine_->Now().boottime_ns, is_alive() ? CoreReader::RevisionOf(*core_) : 0};
}

void AgentProcess::Describe(Digest* digest) const {
  const int64_t now_ns = machine_->Now().boottime_ns;
  digest->Add(life_);
  digest->Add(address_);
  const agent::JournalContents& contents = journal_.contents;
  digest->Add(contents.incarnation);
  digest->Add(contents.fence.coordinator_epoch);
  digest->Add(contents.fence.coordinator_instance_id);
  digest->AddFence(contents.fence.coordinator_epoch, contents.fence.seq, reference());
  const v1::Fence accepted = world_->monitor().FenceOf(JournalName());
  digest->Add(accepted.coordinator_epoch());
  digest->AddFence(accepted.coordinator_epoch(), accepted.seq(), reference());
  digest->Add(contents.is_draining);
  for (const auto& [id, attempt] : contents.attempts) {
    digest->Add(id);
    digest->Add(attempt.state);
    digest->Add(attempt.cause);
    digest->Add(attempt.process ? attempt.process->pid : 0);
    digest->AddHash(id, attempt.report_sha256);
    digest->AddMessage(attempt.request.start_by(), reference());
    if (const auto report = journal_.reports.find(id); report != journal_.reports.end()) {
      DescribeReport(report->second, digest);
    }
  }
  for (const auto& [id, retired] : contents.retired) {
    digest->Add(id);
    digest->Add(retired.is_tombstone);
    digest->AddMessage(retired.keep_until, reference());
  }
  machine_->Describe(digest);
  digest->Add(is_alive());
  if (!is_alive()) return;
  CoreReader::Describe(*core_, index_, now_ns, digest);
  digest->AddTime(purge_at_ns_, now_ns);
  for (const auto& [call, reply] : calls_) {
    digest->AddOrdered(Digest::Order::kAgentCall, index_, static_cast<double>(call));
  }
  digest->Add(static_cast<int64_t>(registration_pause_s_ * 1e3));
  digest->AddTime(registered_ns_, now_ns);
}

void CoordinatorProcess::Describe(std::optional<int> only, Digest* digest) const {
  std::map<std::string, Digest::Reference> agents;
  for (int i = 0; i < static_cast<int>(world_->agents()); ++i) {
    const AgentProcess& agent = world_->agent(i);
    if (only.value_or(i) == i) agents["id-" + agent.name()] = agent.reference();
  }
  digest->Add(life_);
  store_->Describe(agents, digest);
  digest->Add(is_alive());
  if (!is_alive()) return;
  CoreReader::Describe(*core_, agents, machine_->Now().boottime_ns, digest);
  if (only) return;  // who waits is not told
  for (const auto& [reply, told] : waiting_) {
    digest->AddOrdered(Digest::Order::kReply, 0, static_cast<double>(reply));
  }
}

Schedule::Describe CoordinatorProcess::DescribeCallOf(const std::shared_ptr<Call>& call) {
  return [this, call](Digest* digest) {
    if (digest != nullptr) {
      const Digest::Reference reference =
          call->agent < 0 ? Digest::Reference{} : world_->agent(call->agent).reference();
      digest->Add(call->agent);
      digest->Add(IsAwaited(*call));
      if (IsAwaited(*call)) {
        digest->AddOrdered(Digest::Order::kCall, call->agent, static_cast<double>(call->number));
        digest->Add(call->agent_life);
        digest->AddOrdered(Digest::Order::kAgentCall, call->agent, static_cast<double>(call->agent_call));
      }
      DescribeRequest(call->request, reference, digest);
    }
    return IsAwaited(*call);
  };
}

Schedule::Describe CoordinatorProcess::DescribeAnswer(const std::shared_ptr<Call>& call,
                                                      const std::shared_ptr<Answer>& answer) {
  return [this, call, answer, describe = DescribeCallOf(call)](Digest* digest) {
    if (digest != nullptr) {
      const Digest::Reference reference = world_->agent(call->agent).reference();
      digest->Add(answer->status.code());
      digest->Add(answer->status.kind());
      digest->Add(DeterministicBytes(answer->description));
      digest->AddMessage(answer->sync, reference);
      digest->AddMessage(answer->attempt, reference);
      if (const auto* fetch = std::get_if<FetchReport>(&call->request)) {
        digest->AddHash(fetch->attempt_id + " bytes", answer->bytes);
        DescribeReport(answer->bytes, digest);
      }
    }
    return describe(digest);
  };
}

void World::Describe(std::optional<int> only, Digest* digest) {
  for (int i = 0; i < static_cast<int>(agents_.size()); ++i) {
    if (only.value_or(i) == i) agent(i).Describe(digest);
  }
  coordinator().Describe(only, digest);
  if (!only) monitor_.Describe(digest);
  for (const auto& [key, entry] : schedule_.entries()) {
    if (only && entry.party.agent != only) continue;
    digest->BeginItem();
    digest->Add(entry.where.line());
    digest->Add(std::string_view(entry.where.file_name()));
    digest->Add(entry.party.kind);
    digest->Add(entry.party.index);
    if (entry.kind == Schedule::Kind::kTimer) digest->AddTime(key.first, schedule_.now_ns());
    if (entry.describe) entry.describe(digest);
  }
}

}  // namespace fleetmark::simulation
