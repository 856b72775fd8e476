#pragma once

#include <memory>
#include <vector>

#include "agent/sampler/sensor.h"

namespace fleetmark {

// Every sensor there is, in the order in which they are listed. Made for one run; making them costs nothing, as they
// look at the machine only once they are read.
std::vector<std::unique_ptr<Sensor>> MakeSensors();

}  // namespace fleetmark
