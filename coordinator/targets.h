#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/status.h"
#include "fleetmark/v1/agent.pb.h"
#include "fleetmark/v1/coordinator.pb.h"

// What a Submit means for one machine: does it match, and which devices would run it.
namespace fleetmark {

inline constexpr char kAllRuntimes[] = "all";

// The kind of refusal of what an older agent would take no notice of.
inline constexpr char kTooOld[] = "unsupported";

// The "label=value" words among `on`.
std::map<std::string, std::string> LabelsOf(const google::protobuf::RepeatedPtrField<std::string>& on);
bool MatchesLabels(const v1::AgentDescription& agent, const std::map<std::string, std::string>& labels);

// Whether an agent of these features obeys a profile of its own; an older one would ignore it.
Status CheckKnowsProfiles(const std::string& name, const std::string& version,
                          const google::protobuf::RepeatedPtrField<std::string>& features);

// Whether it asks for another telemetry than every agent gives.
bool NeedsTelemetryFeature(const v1::SubmitRequest& request);

// What a machine says of itself. Views; its runtimes may stand apart from the rest.
struct Machine {
  Machine(const v1::AgentDescription& described) : agent(described), runtimes(described.runtimes()) {}
  Machine(const v1::AgentDescription& described, const google::protobuf::RepeatedPtrField<v1::Runtime>& of_it)
      : agent(described), runtimes(of_it) {}

  const v1::AgentDescription& agent;
  const google::protobuf::RepeatedPtrField<v1::Runtime>& runtimes;
};

struct Placement {
  std::string runtime;
  const v1::WorkloadSpec* workload = nullptr;     // among the runtimes of its machine
  std::map<std::string, std::string> parameters;  // canonical
  std::vector<std::string> devices;               // at least one; several for "all"
};

// Where on this machine the request would run, or why it cannot: runtime, workload, parameters, device and telemetry
// are checked against what the agent described, and each refusal names what there is.
StatusOr<Placement> PlaceOn(const Machine& machine, const v1::SubmitRequest& request);

// The same for each runtime that was asked for: with "all" those that can run it on this machine, of which there must
// be one. Adds to `left_out` a sentence for each that cannot.
StatusOr<std::vector<Placement>> PlaceOnEach(const Machine& machine, const v1::SubmitRequest& request,
                                             std::vector<std::string>* left_out);

}  // namespace fleetmark
