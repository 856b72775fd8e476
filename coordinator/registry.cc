#include "coordinator/registry.h"

#include <algorithm>
#include <utility>

#include "common/ids.h"
#include "common/protocol_version.h"
#include "common/run_spec.h"
#include "common/suggest.h"
#include "coordinator/agent_index.h"
#include "coordinator/agent_link.h"
#include "coordinator/descent.h"
#include "coordinator/order_queue.h"
#include "coordinator/run_state.h"

namespace fleetmark {
namespace {

void PutIfNew(StepContext& step, const std::string& runtime, const v1::WorkloadSpec& spec) {
  std::string bytes = spec.SerializeAsString();
  std::string& stored = step.state.workloads[{runtime, spec.name(), spec.version()}];
  if (stored == bytes) return;
  stored = std::move(bytes);
  step.effects.writes.push_back(PutWorkload{{runtime, spec}});
}

uint64_t AskToDescribe(StepContext& step, const std::string& address) {
  const uint64_t call = step.state.next_call++;
  step.effects.calls.push_back(ResetConnection{address});
  step.effects.calls.push_back(DescribeCall{call, address});
  return call;
}

void Admit(StepContext& step, const Admission& admission) {
  const v1::AgentDescription& description = admission.description;
  Agent* agent = FindAgent(step.state, description.agent_id());
  if (agent == nullptr) {
    auto made = std::make_unique<Agent>();
    made->record.agent_id = description.agent_id();
    made->record.offline_since_unix_s = step.now.unix_s();
    made->seq = step.state.seq;
    agent = made.get();
    step.state.agents[description.agent_id()] = std::move(made);
    Touch(step.state, *agent);
    step.Log(Severity::kInfo, "agent " + description.name() + " joined from " + admission.address + ", protocol " +
                                  std::to_string(*ProtocolWith(description)));
  } else if (agent->record.address != admission.address) {
    step.Log(Severity::kInfo,
             "agent " + description.name() + " moved from " + agent->record.address + " to " + admission.address);
    DropLink(step, *agent);
  }
  const bool is_same_process = agent->is_online && agent->record.description.process_id() == description.process_id();
  agent->record.address = admission.address;
  agent->record.removed = false;
  AdoptDescription(step, *agent, description);
  if (!is_same_process) ConnectNow(step, *agent);
  step.Answer(admission.reply, OkStatus(), agent->id());
}

Status CheckIdentity(CoreState& state, const Admission& admission) {
  const v1::AgentDescription& description = admission.description;
  FLEETMARK_RETURN_IF_ERROR(CheckCompatible(state, description));
  FLEETMARK_RETURN_IF_ERROR(CheckAgentName(description.name()));
  if (!admission.claimed_agent_id.empty() && admission.claimed_agent_id != description.agent_id()) {
    return FailedPrecondition(
        "at " + admission.address + " another agent answers (" + description.name() + "), not the one that registers",
        "give each agent its own --advertise address", "wrong_address");
  }
  const Agent* namesake = FindAgentByName(state, description.name());
  if (namesake != nullptr && namesake->id() != description.agent_id()) {
    return AlreadyExists(
        "an agent named " + description.name() + " has joined already, from " + namesake->record.address,
        "choose another --name, or remove the old one with fleetmark agents remove " + description.name(),
        "name_taken");
  }
  return OkStatus();
}

void AdmitIfAllowed(StepContext& step, const Admission& admission) {
  if (Status status = CheckIdentity(step.state, admission); !status.ok()) {
    step.Log(Severity::kWarning, "refused an agent: " + status.ToString());
    return step.Answer(admission.reply, std::move(status));
  }
  Admit(step, admission);
}

Status NoSuchAgent(const CoreState& state, const std::string& name) {
  std::vector<std::string> names;
  for (const auto& [id, agent] : state.agents) {
    if (!agent->record.removed) names.push_back(agent->name());
  }
  std::string hint = SuggestFrom(name, names);
  if (names.empty()) hint = "no agent has joined yet: start one with fleetmark-agent serve --coordinator ADDRESS";
  return NotFound("there is no agent \"" + name + "\"", hint, "unknown_agent");
}

}  // namespace

StatusOr<Agent*> NamedAgent(CoreState& state, const std::string& name) {
  Agent* agent = FindAgentByName(state, name);
  if (agent == nullptr) return NoSuchAgent(state, name);
  return agent;
}

StatusOr<const Agent*> NamedAgent(const CoreState& state, const std::string& name) {
  const Agent* agent = FindAgentByName(state, name);
  if (agent == nullptr) return NoSuchAgent(state, name);
  return agent;
}

StatusOr<int> ProtocolWith(const v1::AgentDescription& description) {
  return NegotiateProtocol({kCoordinatorSide, SpokenProtocols()},
                           {"agent " + description.name() + " (" + description.version() + ")",
                            {description.protocol_min(), description.protocol_max()}});
}

Status CheckCompatible(const CoreState& state, const v1::AgentDescription& description) {
  FLEETMARK_RETURN_IF_ERROR(ProtocolWith(description).status());
  const Epoch& epoch = state.config.epoch;
  if (!description.cluster_id().empty() && description.cluster_id() != epoch.cluster_id) {
    return FailedPrecondition("agent " + description.name() + " belongs to another coordinator's cluster (" +
                                  std::string(ShortId(description.cluster_id())) + ")",
                              "start it with another --state-dir to make a new agent of it", "other_cluster");
  }
  return CheckDescent(epoch, description);
}

void AdoptDescription(StepContext& step, Agent& agent, const v1::AgentDescription& description) {
  if (agent.record.description.process_id() != description.process_id()) agent.known_revision = 0;
  for (const v1::Runtime& runtime : description.runtimes()) {
    for (const v1::WorkloadSpec& spec : runtime.description().workloads()) PutIfNew(step, runtime.name(), spec);
  }
  agent.record.runtimes = ShareRuntimes(description.runtimes());
  agent.record.description = description;
  agent.record.description.clear_runtimes();
  agent.record.last_seen_unix_s = step.now.unix_s();
  step.effects.writes.push_back(PutAgent{agent.record});
}

void OnAddAgent(StepContext& step, const AddAgentAsked& event) {
  Admission admission;
  admission.reply = event.reply;
  admission.address = event.address;
  admission.is_registration = event.claimed.has_value();
  if (event.claimed.has_value()) admission.claimed_agent_id = event.claimed->agent_id();
  step.state.admissions[AskToDescribe(step, event.address)] = admission;
}

bool OnAdmissionDescribed(StepContext& step, const Described& event) {
  const auto found = step.state.admissions.find(event.call);
  if (found == step.state.admissions.end()) return false;
  Admission admission = std::move(found->second);
  step.state.admissions.erase(found);

  if (admission.is_asking_old_address) {
    const v1::AgentDescription& old = event.description;
    const bool is_second = event.status.ok() && old.agent_id() == admission.description.agent_id() &&
                           old.process_id() != admission.description.process_id();
    if (!is_second) {
      // Another may have taken the name meanwhile.
      AdmitIfAllowed(step, admission);
      return true;
    }
    const std::string old_address = FindAgent(step.state, old.agent_id())->record.address;
    step.Answer(admission.reply,
                AlreadyExists("agent " + old.name() + " already answers at " + old_address + "; the one at " +
                                  admission.address + " has the same identity",
                              "two agents must not share or copy a state directory: give this one its own "
                              "--state-dir and --name",
                              "identity_taken"));
    return true;
  }
  if (event.status.code() == StatusCode::kInvalidArgument || event.status.code() == StatusCode::kFailedPrecondition) {
    step.Answer(admission.reply, event.status);  // it was not even tried
    return true;
  }
  if (!event.status.ok()) {
    step.Answer(
        admission.reply,
        Unavailable("no agent answers at " + admission.address + ": " + event.status.message(),
                    admission.is_registration
                        ? "the coordinator must be able to reach the agent there: check --listen and --advertise"
                        : "check the address, and that fleetmark-agent serve runs there"));
    return true;
  }
  admission.description = event.description;
  const Agent* known = FindAgent(step.state, event.description.agent_id());
  const bool has_moved = known != nullptr && !known->record.removed && known->record.address != admission.address;
  if (has_moved && CheckIdentity(step.state, admission).ok()) {
    admission.is_asking_old_address = true;
    step.state.admissions[AskToDescribe(step, known->record.address)] = admission;
    return true;
  }
  AdmitIfAllowed(step, admission);
  return true;
}

void OnRemoveAgent(StepContext& step, const RemoveAgentAsked& event) {
  StatusOr<Agent*> named = NamedAgent(step.state, event.name);
  if (!named.ok()) return step.Answer(event.reply, named.status());
  Agent& agent = **named;
  const auto queue = step.state.queues.find(agent.id());
  if (queue != step.state.queues.end() && !queue->second.runs.empty()) {
    const std::string job = queue->second.runs.begin()->second->record.job_id;
    return step.Answer(
        event.reply,
        FailedPrecondition(std::to_string(queue->second.runs.size()) + " runs wait for agent " + event.name,
                           "cancel them first, for example fleetmark cancel " + std::string(ShortId(job))));
  }
  for (const auto& [id, attempt] : agent.attempts) {
    // A person who has cancelled a run and now removes its unreachable machine forces the end of it.
    if (attempt->run->record.cancel_requested && !agent.is_online) continue;
    return step.Answer(
        event.reply, FailedPrecondition("agent " + event.name + " runs " + std::string(ShortId(attempt->record.run_id)),
                                        "wait for it, or cancel it first: fleetmark cancel " +
                                            std::string(ShortId(attempt->record.run_id))));
  }
  while (!agent.attempts.empty()) {
    EndWithoutReport(step, *agent.attempts.begin()->second, "agent_removed",
                     "agent " + event.name + " was removed while it was unreachable");
  }
  DropLink(step, agent);
  agent.is_online = false;
  agent.record.removed = true;
  step.effects.writes.push_back(PutAgent{agent.record});
  step.Log(Severity::kInfo, "agent " + event.name + " was removed");
  step.Answer(event.reply, OkStatus(), agent.id());
}

void OnDrain(StepContext& step, const DrainAsked& event) {
  StatusOr<Agent*> named = NamedAgent(step.state, event.name);
  if (!named.ok()) return step.Answer(event.reply, named.status());
  Agent& agent = **named;
  agent.record.draining = event.on;
  step.effects.writes.push_back(PutAgent{agent.record});
  OrderDrain(step, agent);
  step.Answer(event.reply, OkStatus(), agent.id());
}

}  // namespace fleetmark
