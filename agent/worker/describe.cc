#include "agent/worker/describe.h"

#include "agent/worker/metrics.h"
#include "agent/worker/runtime_info.h"
#include "agent/worker/start_environment.h"
#include "agent/worker/workload.h"
#include "common/build_info.h"
#include "common/host_info.h"
#include "common/vocabulary.h"

namespace fleetmark {
namespace {

Json DescribeDevice(const DeviceInfo& device) {
  return {{"name", device.name},
          {"kind", device.kind},
          {"model", device.model},
          {"uuid", device.uuid},
          {"memory_bytes", JsonNumber(device.memory_bytes)}};
}

// What profile `tuned` sets this parameter to, by kind of device.
Json DescribeTuning(const WorkloadDefinition& definition, const std::string& parameter) {
  Json tuned = Json::object();
  for (const auto& [kind, settings] : definition.tuned) {
    const auto found = settings.find(parameter);
    if (found != settings.end()) tuned[kind] = found->second;
  }
  return tuned;
}

Json DescribeParameter(const ParameterSpec& spec, const WorkloadDefinition& definition) {
  Json parameter = {{"name", spec.name}, {"type", spec.type}, {"default_value", spec.default_value}};
  if (spec.min) parameter["min"] = *spec.min;
  if (spec.max) parameter["max"] = *spec.max;
  if (!spec.choices.empty()) parameter["choices"] = spec.choices;
  parameter["unit"] = spec.unit;
  parameter["doc"] = spec.doc;
  parameter["defines_board"] = spec.defines_board;
  parameter["tunable"] = spec.tunable;
  parameter["tuned"] = DescribeTuning(definition, spec.name);
  return parameter;
}

Json DescribeWorkload(const WorkloadDefinition& definition) {
  Json workload = {{"name", definition.name}, {"version", definition.version}, {"doc", definition.doc}};
  workload["parameters"] = Json::array();
  for (const ParameterSpec& spec : definition.parameters) {
    workload["parameters"].push_back(DescribeParameter(spec, definition));
  }
  workload["metrics"] = Json::array();
  for (const std::string& name : definition.metrics) {
    const MetricDefinition& metric = FindMetric(name);
    workload["metrics"].push_back({{"name", metric.name},
                                   {"unit", metric.unit},
                                   {"better", metric.better},
                                   {"aggregate", metric.aggregate},
                                   {"doc", metric.doc}});
  }
  workload["device_kinds"] = definition.device_kinds;
  return workload;
}

// A setting of the run, or what holds where the workload does not have it.
std::string Setting(const std::map<std::string, std::string>& parameters, const char* name, const char* otherwise) {
  const auto found = parameters.find(name);
  return found == parameters.end() ? otherwise : found->second;
}

}  // namespace

Json DescribeRunner() {
  Json runner = {{"runtime", kOwnRuntime}, {"runtime_version", RuntimeVersion()}, {"versions", LibraryVersions()}};
  runner["devices"] = Json::array();
  for (const DeviceInfo& device : ListDevices()) runner["devices"].push_back(DescribeDevice(device));
  runner["workloads"] = Json::array();
  for (const WorkloadDefinition& definition : AllWorkloads()) {
    runner["workloads"].push_back(DescribeWorkload(definition));
  }
  return runner;
}

Json DescribeEnvironment(const DeviceInfo& device, const std::map<std::string, std::string>& parameters) {
  const HostInfo host = ReadHostInfo();
  const BuildInfo& build = GetBuildInfo();
  return {{"host", host.hostname},
          {"os", host.os},
          {"kernel", host.kernel},
          {"cpu_model", host.cpu_model},
          {"cpu_count", host.cpu_count},
          {"cpu_governor", host.cpu_governor},
          {"memory_bytes", JsonNumber(host.memory_bytes)},
          {"device", DescribeDevice(device)},
          {"gpu_driver", device.kind == "cuda" ? ReadGpuDriverVersion() : ""},
          {"runtime", kOwnRuntime},
          {"runtime_version", RuntimeVersion()},
          {"versions", LibraryVersions()},
          {"threads", std::stoi(Setting(parameters, "threads", "0"))},
          {"allocator", AllocatorInForce()},
          {"memory_format", Setting(parameters, "memory_format", "contiguous")},
          {"dtype", Setting(parameters, "dtype", "fp32")},
          {"git_revision", build.git_revision},
          {"build_type", build.build_type},
          {"compiler", build.compiler},
          {"fleetmark_version", build.version}};
}

}  // namespace fleetmark
