#pragma once

#include "fleetmark/v1/run.pb.h"

namespace fleetmark {

// What a verdict is made of: steadiness with a change point, two ceilings, ten points of telemetry of which the worker
// measured during five, with a series of each of two CPUs, one that was never known, and sensors that could not be
// read.
void AddSampleEvidence(v1::Result* result);

}  // namespace fleetmark
