#pragma once

#include <memory>
#include <vector>

#include "agent/sampler/sensor.h"

namespace fleetmark {

// Every sensor there is for a run, in the order in which they are listed: those of GPUs for runs on a GPU only. Making
// them costs little, as they look at the machine only once they are read.
std::vector<std::unique_ptr<Sensor>> MakeSensors(const SensorSubject& subject);

}  // namespace fleetmark
