#pragma once

#include <string>
#include <vector>

#include "common/protocol_version.h"
#include "common/status.h"
#include "fleetmark/v1/agent.pb.h"
#include "fleetmark/v1/workload.pb.h"

namespace fleetmark::agent {

// What this agent can do, learnt once at its start.
struct Offer {
  std::vector<v1::Runtime> runtimes;
  std::vector<std::string> features = {kProfileSettingsFeature, kTelemetryFeature};  // what required_features may name
};

// The machine's devices, one of each name, in the order in which the runtimes name them.
std::vector<v1::Device> DevicesOf(const Offer& offer);

// What the runner is to be given: the spec with the machine's own profile below the parameters that were set. A runner
// needs to know of no other place that settings come from.
v1::RunSpec SpecForRunner(const v1::StartRunRequest& request);

// Of the device that it is to run on; the device's name where the request does not say.
std::string DeviceUuid(const v1::StartRunRequest& request);

// Whether `request` is complete and says something that this agent can run: features, runtime, workload, parameters and
// their bounds, device. Looks at nothing but its arguments.
Status CheckRequest(const Offer& offer, const v1::StartRunRequest& request);

}  // namespace fleetmark::agent
