#pragma once

#include <optional>

#include "fleetmark/v1/run.pb.h"

namespace fleetmark {

// What page faults did to a step where the speed of a run changed.
struct FaultCost {
  double more_per_step = 0;  // than before the change; negative for fewer
  double fault_s = 0;        // kernel time of one: that of the worker, divided by all its faults
};

// An allocator that gives memory back to the system and takes it anew makes steps slower and faster, in a way that
// looks like a throttled device. Telemetry of page faults shows it: a device that slows down has as many of them a step
// as before. Present where they account for half of what steps took longer, or shorter, from change point `change` on.
// Absent where they do not, or where it is not known: no telemetry of both sides, or no step times.
std::optional<FaultCost> PageFaultsBehind(const v1::Result& result, int change);

}  // namespace fleetmark
