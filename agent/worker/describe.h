#pragma once

#include <map>
#include <string>

#include "agent/worker/device.h"
#include "agent/worker/event_writer.h"

namespace fleetmark {

// RunnerDescription of workload.proto: runtime, devices, and every workload with its parameters and metrics.
Json DescribeRunner();

// Environment of run.proto. `parameters` are those of the run as they took effect.
Json DescribeEnvironment(const DeviceInfo& device, const std::map<std::string, std::string>& parameters);

}  // namespace fleetmark
