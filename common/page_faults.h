#pragma once

#include <optional>
#include <vector>

#include "fleetmark/v1/run.pb.h"

namespace fleetmark {

// What page faults did to a step where the speed of a run changed.
struct FaultCost {
  double more_per_step = 0;  // than before the change; negative for fewer
  double fault_s = 0;        // kernel time of one: that of the worker, divided by all its faults; 250 us at most
};

// An allocator that gives memory back to the system and takes it anew makes steps slower and faster, in a way that
// looks like a throttled device. Telemetry of page faults shows it: a device that slows down has as many of them a step
// as before. One for each change point of the run, in their order: present where they account for half of what steps
// took longer, or shorter, after it. Absent where they do not, or where it is not known: no telemetry of both sides
// (four points a second: of a stretch of a quarter there may be none), or no step times. Kernel time counts as if one
// thread had it all, as a training loop's allocations do; where several have page faults at once, they look that much
// dearer.
std::vector<std::optional<FaultCost>> PageFaultsBehindChanges(const v1::Result& result);

}  // namespace fleetmark
