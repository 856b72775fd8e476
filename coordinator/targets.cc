#include "coordinator/targets.h"

#include <algorithm>

#include "common/protocol_version.h"
#include "common/run_spec.h"
#include "common/suggest.h"
#include "common/vocabulary.h"

namespace fleetmark {
namespace {

StatusOr<const v1::Runtime*> FindRuntime(const Machine& machine, const std::string& name) {
  const v1::AgentDescription& agent = machine.agent;
  std::vector<std::string> names;
  for (const v1::Runtime& runtime : machine.runtimes) {
    names.push_back(runtime.name());
    if (runtime.name() != name) continue;
    if (runtime.unavailable().empty()) return &runtime;
    return FailedPrecondition("agent " + agent.name() + " cannot use runtime " + name + ": " + runtime.unavailable(),
                              "", "runtime_unavailable");
  }
  return NotFound("agent " + agent.name() + " has no runtime " + name, SuggestFrom(name, names), "unknown_runtime");
}

StatusOr<const v1::WorkloadSpec*> FindWorkload(const v1::AgentDescription& agent, const v1::Runtime& runtime,
                                               const std::string& name) {
  std::vector<std::string> names;
  for (const v1::WorkloadSpec& workload : runtime.description().workloads()) {
    if (workload.name() == name) return &workload;
    names.push_back(workload.name());
  }
  return NotFound("there is no workload " + name + " for runtime " + runtime.name() + " on agent " + agent.name(),
                  SuggestFrom(name, names), "unknown_workload");
}

bool IsSupported(const v1::WorkloadSpec& workload, const v1::Device& device) {
  return std::find(workload.device_kinds().begin(), workload.device_kinds().end(), device.kind()) !=
         workload.device_kinds().end();
}

// Of those that the workload supports: "" the best one, "cuda" the first of its kind, "cuda:1" that one, "all" each.
StatusOr<std::vector<std::string>> ChooseDevices(const v1::AgentDescription& agent, const v1::Runtime& runtime,
                                                 const v1::WorkloadSpec& workload, const std::string& wanted) {
  std::vector<std::string> usable;
  std::string best;
  std::string first_of_kind;
  for (const v1::Device& device : runtime.description().devices()) {
    if (!IsSupported(workload, device)) continue;
    usable.push_back(device.name());
    if (best.empty() || (best == "cpu" && device.kind() != "cpu")) best = device.name();
    if (first_of_kind.empty() && (device.kind() == wanted || device.name() == wanted)) first_of_kind = device.name();
  }
  if (wanted == "all" && !usable.empty()) return usable;
  if (wanted.empty() && !best.empty()) return std::vector<std::string>{best};
  if (!first_of_kind.empty()) return std::vector<std::string>{first_of_kind};
  std::string known;
  for (const std::string& name : usable) known += (known.empty() ? "" : ", ") + name;
  return NotFound("agent " + agent.name() + " has no device \"" + wanted + "\" that " + workload.name() +
                      " can use with runtime " + runtime.name(),
                  known.empty() ? "it has none at all" : "it has: " + known, "unknown_device");
}

// Whether an agent of these features knows this one, which `what` is in words; an older one would take no notice.
Status CheckFeature(const std::string& name, const std::string& version,
                    const google::protobuf::RepeatedPtrField<std::string>& features, const char* feature,
                    const std::string& what) {
  if (std::find(features.begin(), features.end(), feature) != features.end()) return OkStatus();
  return FailedPrecondition("agent " + name + " (" + version + ") is too old for " + what,
                            "install this version of Fleetmark there", kTooOld);
}

}  // namespace

Status CheckKnowsProfiles(const std::string& name, const std::string& version,
                          const google::protobuf::RepeatedPtrField<std::string>& features) {
  return CheckFeature(name, version, features, kProfileSettingsFeature, "a profile of its own");
}

bool NeedsTelemetryFeature(const v1::SubmitRequest& request) {
  return !request.telemetry().empty() && request.telemetry() != kTelemetryOn;
}

std::map<std::string, std::string> LabelsOf(const google::protobuf::RepeatedPtrField<std::string>& on) {
  std::map<std::string, std::string> labels;
  for (const std::string& word : on) {
    if (const size_t equals = word.find('='); equals != std::string::npos) {
      labels[word.substr(0, equals)] = word.substr(equals + 1);
    }
  }
  return labels;
}

bool MatchesLabels(const v1::AgentDescription& agent, const std::map<std::string, std::string>& labels) {
  return std::all_of(labels.begin(), labels.end(), [&](const auto& label) {
    const auto found = agent.labels().find(label.first);
    return found != agent.labels().end() && found->second == label.second;
  });
}

StatusOr<Placement> PlaceOn(const Machine& machine, const v1::SubmitRequest& request) {
  const v1::AgentDescription& agent = machine.agent;
  const std::string name = request.runtime().empty() ? kOwnRuntime : request.runtime();
  FLEETMARK_ASSIGN_OR_RETURN(const v1::Runtime* runtime, FindRuntime(machine, name));
  FLEETMARK_ASSIGN_OR_RETURN(const v1::WorkloadSpec* workload, FindWorkload(agent, *runtime, request.workload()));
  Placement placement;
  placement.runtime = name;
  placement.workload = workload;
  FLEETMARK_ASSIGN_OR_RETURN(placement.parameters,
                             CheckParameters(*workload, {request.parameters().begin(), request.parameters().end()}));
  FLEETMARK_ASSIGN_OR_RETURN(placement.devices, ChooseDevices(agent, *runtime, *workload, request.device()));
  if (NeedsTelemetryFeature(request)) {
    FLEETMARK_RETURN_IF_ERROR(CheckFeature(agent.name(), agent.version(), agent.features(), kTelemetryFeature,
                                           "--telemetry " + request.telemetry()));
  }
  return placement;
}

StatusOr<std::vector<Placement>> PlaceOnEach(const Machine& machine, const v1::SubmitRequest& request,
                                             std::vector<std::string>* left_out) {
  std::vector<Placement> placements;
  if (request.runtime() != kAllRuntimes) {
    FLEETMARK_ASSIGN_OR_RETURN(Placement placement, PlaceOn(machine, request));
    placements.push_back(std::move(placement));
    return placements;
  }
  Status refusal = NotFound("agent " + machine.agent.name() + " can use no runtime at all", "", "unknown_runtime");
  std::vector<std::string> sentences;
  for (const v1::Runtime& runtime : machine.runtimes) {
    v1::SubmitRequest one = request;
    one.set_runtime(runtime.name());
    StatusOr<Placement> placement = PlaceOn(machine, one);
    if (placement.ok()) {
      placements.push_back(*std::move(placement));
    } else {
      sentences.push_back(runtime.name() + ": " + placement.status().message());
      if (runtime.unavailable().empty()) refusal = placement.status();
    }
  }
  if (placements.empty()) return refusal;
  left_out->insert(left_out->end(), sentences.begin(), sentences.end());
  return placements;
}

}  // namespace fleetmark
