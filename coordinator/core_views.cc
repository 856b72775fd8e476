#include <algorithm>
#include <map>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "coordinator/coordinator_core.h"
#include "coordinator/profiles.h"
#include "coordinator/reasons.h"
#include "coordinator/scheduler.h"

// The read-only side of CoordinatorCore: what it knows, as people see it.
namespace fleetmark {
namespace {

void AddBriefly(const v1::Runtime& runtime, v1::AgentInfo* info) {
  v1::Runtime* brief = info->add_runtimes();
  brief->set_name(runtime.name());
  brief->set_unavailable(runtime.unavailable());
  brief->mutable_description()->set_runtime_version(runtime.description().runtime_version());
}

void AddBriefly(const v1::Device& device, v1::AgentInfo* info) {
  v1::Device* brief = info->add_devices();
  brief->set_name(device.name());
  brief->set_model(device.model());
}

void DescribeNow(const CoreState& state, const Agent& agent, const Moment& now, v1::AgentInfo* info) {
  info->set_name(agent.name());
  info->set_state(StateOfAgent(agent));
  info->set_reason(ReasonOfAgent(agent, now));
  info->set_address(agent.record.address);
  info->set_last_seen_unix_s(agent.record.last_seen_unix_s);
  const auto queue = state.queues.find(agent.id());
  info->set_queued_runs(queue == state.queues.end() ? 0 : static_cast<int>(queue->second.runs.size()));
}

// What a table of agents shows of it.
void DescribeSetUpBriefly(const Agent& agent, v1::AgentInfo* info) {
  const v1::AgentDescription& description = agent.record.description;
  for (const v1::Device& device : description.devices()) AddBriefly(device, info);
  for (const v1::Runtime& runtime : *agent.record.runtimes) AddBriefly(runtime, info);
  *info->mutable_labels() = description.labels();
  info->set_version(description.version());
}

void AddPart(std::string_view part, std::string* key) {
  *key += std::to_string(part.size()) + ":";
  *key += part;
}

// Equal only for agents of which DescribeSetUpBriefly says the same. Those that can run the same share their runtimes.
std::string KeyOfSetUp(const Agent& agent) {
  const v1::AgentDescription& description = agent.record.description;
  std::string key = std::to_string(reinterpret_cast<uintptr_t>(agent.record.runtimes.get()));
  AddPart(description.version(), &key);
  for (const v1::Device& device : description.devices()) {
    AddPart(device.name(), &key);
    AddPart(device.model(), &key);
  }
  key += "labels";
  for (const auto& [name, value] : std::map(description.labels().begin(), description.labels().end())) {
    AddPart(name, &key);
    AddPart(value, &key);
  }
  return key;
}

void DescribeWhole(const CoreState& state, const Agent& agent, const Moment& now, v1::AgentInfo* info) {
  const v1::AgentDescription& description = agent.record.description;
  DescribeNow(state, agent, now, info);
  info->set_agent_id(agent.id());
  *info->mutable_devices() = description.devices();
  *info->mutable_runtimes() = *agent.record.runtimes;
  *info->mutable_labels() = description.labels();
  info->set_version(description.version());
  *info->mutable_host() = description.host();
  *info->mutable_features() = description.features();
  for (const auto& [id, attempt] : agent.attempts) {
    if (OccupiesMachine(*attempt)) info->set_running_run_id(attempt->record.run_id);
  }
}

}  // namespace

bool CoordinatorCore::Describe(v1::RunInfo* info, Moment now) const {
  const auto found = state_.runs.find(info->run_id());
  if (found == state_.runs.end()) return false;
  const Run& run = *found->second;
  info->set_state(std::string(RunStateName(run.record.state)));
  info->set_reason(ReasonOfRun(state_, run, now));
  info->set_queue_position(QueuePosition(state_, run));
  if (run.live == nullptr) return true;
  const bool is_unknown = !state_.agents.at(run.live->record.agent_id)->is_online;
  for (v1::AttemptInfo& attempt : *info->mutable_attempts()) {
    if (is_unknown && attempt.attempt_id() == run.live->record.attempt_id) attempt.set_state("unknown");
  }
  return true;
}

v1::ListAgentsResponse CoordinatorCore::Agents(Moment now, const v1::ListAgentsRequest& request) const {
  v1::ListAgentsResponse list;
  std::unordered_map<std::string, int> like;
  for (const auto& [name, agent] : state_.agents_by_name) {
    if (!request.name().empty() && request.name() != name) continue;
    v1::AgentInfo* info = list.add_agents();
    if (!request.brief()) {
      DescribeWhole(state_, *agent, now, info);
      continue;
    }
    DescribeNow(state_, *agent, now, info);
    if (request.once()) {
      const auto [first, is_new] = like.try_emplace(KeyOfSetUp(*agent), list.agents_size() - 1);
      if (!is_new) {
        info->set_like(first->second);
        continue;
      }
    }
    DescribeSetUpBriefly(*agent, info);
  }
  return list;
}

v1::AgentInfo CoordinatorCore::AgentById(const std::string& agent_id, Moment now) const {
  v1::AgentInfo info;
  const auto found = state_.agents.find(agent_id);
  if (found != state_.agents.end()) DescribeWhole(state_, *found->second, now, &info);
  return info;
}

std::vector<v1::WorkloadOffer> CoordinatorCore::Workloads() const {
  std::map<std::tuple<std::string, std::string, int>, v1::WorkloadOffer> offers;
  for (const auto& [name, agent] : state_.agents_by_name) {
    for (const v1::Runtime& runtime : *agent->record.runtimes) {
      for (const v1::WorkloadSpec& spec : runtime.description().workloads()) {
        v1::WorkloadOffer& offer = offers[{spec.name(), runtime.name(), spec.version()}];
        *offer.mutable_spec() = spec;
        offer.set_runtime(runtime.name());
        offer.add_agents(name);
      }
    }
  }
  std::vector<v1::WorkloadOffer> list;
  for (auto& [key, offer] : offers) list.push_back(std::move(offer));
  return list;
}

StatusOr<std::vector<v1::TunedProfile>> CoordinatorCore::Profiles(const v1::ProfileFilter& filter) const {
  return MatchingProfiles(state_, filter);
}

CoordinatorCore::Place CoordinatorCore::FindLive(const std::string& run_id) const {
  const auto found = state_.runs.find(run_id);
  if (found == state_.runs.end() || found->second->live == nullptr) return {};
  const AttemptRecord& attempt = found->second->live->record;
  const Agent& agent = *state_.agents.at(attempt.agent_id);
  if (!agent.is_online || attempt.state == AttemptState::kDispatched) return {};
  return {agent.record.address, attempt.attempt_id};
}

}  // namespace fleetmark
