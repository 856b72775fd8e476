#pragma once

#include <vector>

#include "agent/sampler/cost.h"
#include "fleetmark/v1/run.pb.h"

namespace fleetmark::agent {

// What a run's telemetry adds to its metrics, each over the measured part and only where it is known: "cpu_percent" (of
// the worker) and "gpu_util_percent", means; "gpu_memory_bytes", the most; "energy_j", of the packages and the GPU
// together, or of what of them has a meter.
std::vector<v1::Metric> TelemetryMetrics(const v1::Telemetry& telemetry);

// Puts what sampling in `blocks` cost into the result's telemetry; a note says so where it is over 1 %, and why where
// it is not known.
void TellSamplingCost(const BlockSchedule& blocks, v1::Result* result);

}  // namespace fleetmark::agent
