#include "agent/admission.h"

#include <algorithm>
#include <map>

#include "common/run_spec.h"
#include "common/suggest.h"
#include "common/vocabulary.h"

namespace fleetmark::agent {
namespace {

Status CheckComplete(const v1::StartRunRequest& request) {
  if (request.run_id().empty() || request.attempt_id().empty()) {
    return InvalidArgument("StartRun lacks run_id or attempt_id", "", "bad_parameter");
  }
  if (request.start_by().boot_id().empty()) return InvalidArgument("StartRun lacks start_by", "", "bad_parameter");
  if (!(request.max_runtime_s() > 0)) return InvalidArgument("max_runtime_s must be more than 0", "", "bad_parameter");
  if (request.on_disconnect() != "FINISH" && request.on_disconnect() != "KILL") {
    return InvalidArgument("on_disconnect is \"" + request.on_disconnect() + "\"", "use FINISH or KILL",
                           "bad_parameter");
  }
  FLEETMARK_RETURN_IF_ERROR(CheckWord("profile", request.spec().profile(), kProfiles));
  if (!request.telemetry().empty()) {
    FLEETMARK_RETURN_IF_ERROR(CheckWord("telemetry mode", request.telemetry(), kTelemetryModes));
  }
  if (request.spec_sha256() != SpecSha256(request.spec())) {
    return InvalidArgument("spec_sha256 is not the hash of the spec that came with it", "", "bad_parameter");
  }
  return OkStatus();
}

StatusOr<const v1::RunnerDescription*> FindRuntime(const Offer& offer, const std::string& name) {
  std::vector<std::string> names;
  for (const v1::Runtime& runtime : offer.runtimes) {
    names.push_back(runtime.name());
    if (runtime.name() != name) continue;
    if (runtime.unavailable().empty()) return &runtime.description();
    return FailedPrecondition("runtime " + name + " cannot be used on this machine: " + runtime.unavailable(), "",
                              "unsupported");
  }
  return FailedPrecondition("this agent has no runtime " + name, SuggestFrom(name, names), "unsupported");
}

StatusOr<const v1::WorkloadSpec*> FindWorkload(const v1::RunnerDescription& runner, const v1::RunSpec& spec) {
  std::vector<std::string> names;
  for (const v1::WorkloadSpec& workload : runner.workloads()) {
    names.push_back(workload.name());
    if (workload.name() != spec.workload()) continue;
    if (workload.version() == spec.workload_version()) return &workload;
    return FailedPrecondition("runtime " + runner.runtime() + " has version " + std::to_string(workload.version()) +
                                  " of " + workload.name() + ", not " + std::to_string(spec.workload_version()),
                              "use the same Fleetmark everywhere", "unsupported");
  }
  return FailedPrecondition("runtime " + runner.runtime() + " has no workload " + spec.workload(),
                            SuggestFrom(spec.workload(), names), "unsupported");
}

Status CheckProfileSettings(const v1::WorkloadSpec& workload, const v1::StartRunRequest& request) {
  const auto& settings = request.profile_settings();
  if (settings.empty()) return OkStatus();
  if (request.spec().profile() != kTunedProfile) {
    return InvalidArgument("profile_settings came with profile " + request.spec().profile(), "", "bad_parameter");
  }
  const Status status = CheckTunableSettings(workload, {settings.begin(), settings.end()}).status();
  if (status.ok()) return status;
  return Status(status.code(), "this machine's tuned profile does not fit any more: " + status.message(),
                "tune it again, or fleetmark tune " + workload.name() + " --on NAME --forget", status.kind());
}

Status CheckDevice(const v1::RunnerDescription& runner, const v1::WorkloadSpec& workload,
                   const v1::StartRunRequest& request) {
  const std::string& name = request.spec().device();
  std::vector<std::string> names;
  for (const v1::Device& device : runner.devices()) {
    names.push_back(device.name());
    if (device.name() != name) continue;
    const auto& kinds = workload.device_kinds();
    if (std::find(kinds.begin(), kinds.end(), device.kind()) == kinds.end()) {
      return FailedPrecondition("workload " + workload.name() + " does not run on " + device.kind(), "", "unsupported");
    }
    const auto& uuids = request.device_uuids();
    if (!uuids.empty() && std::find(uuids.begin(), uuids.end(), device.uuid()) == uuids.end()) {
      return FailedPrecondition(
          "device " + name + " is now " + device.uuid() + ", and the run was planned for " + uuids[0], "",
          "device_unavailable");
    }
    return OkStatus();
  }
  return FailedPrecondition("runtime " + runner.runtime() + " has no device " + name + " on this machine",
                            SuggestFrom(name, names), "device_unavailable");
}

}  // namespace

std::vector<v1::Device> DevicesOf(const Offer& offer) {
  std::vector<v1::Device> devices;
  for (const v1::Runtime& runtime : offer.runtimes) {
    for (const v1::Device& device : runtime.description().devices()) {
      const bool is_known = std::any_of(devices.begin(), devices.end(),
                                        [&](const v1::Device& known) { return known.name() == device.name(); });
      if (!is_known) devices.push_back(device);
    }
  }
  return devices;
}

v1::RunSpec SpecForRunner(const v1::StartRunRequest& request) {
  v1::RunSpec spec = request.spec();
  // insert() leaves what is there as it is.
  spec.mutable_parameters()->insert(request.profile_settings().begin(), request.profile_settings().end());
  return spec;
}

std::string DeviceUuid(const v1::StartRunRequest& request) {
  return request.device_uuids().empty() ? request.spec().device() : request.device_uuids(0);
}

Status CheckRequest(const Offer& offer, const v1::StartRunRequest& request) {
  FLEETMARK_RETURN_IF_ERROR(CheckComplete(request));
  for (const std::string& feature : request.required_features()) {
    if (std::find(offer.features.begin(), offer.features.end(), feature) == offer.features.end()) {
      return FailedPrecondition("this agent does not know the feature " + feature,
                                "use a newer Fleetmark on this machine", "unsupported");
    }
  }
  FLEETMARK_ASSIGN_OR_RETURN(const v1::RunnerDescription* runner, FindRuntime(offer, request.spec().runtime()));
  FLEETMARK_ASSIGN_OR_RETURN(const v1::WorkloadSpec* workload, FindWorkload(*runner, request.spec()));
  const auto& given = request.spec().parameters();
  const std::map<std::string, std::string> parameters(given.begin(), given.end());
  const auto checked = CheckParameters(*workload, parameters);
  if (!checked.ok()) return checked.status();
  FLEETMARK_RETURN_IF_ERROR(CheckProfileSettings(*workload, request));
  return CheckDevice(*runner, *workload, request);
}

}  // namespace fleetmark::agent
