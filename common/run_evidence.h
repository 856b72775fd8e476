#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "fleetmark/v1/run.pb.h"

namespace fleetmark {

// The metric of that name, or null.
const v1::Metric* FindMetric(const v1::Result& result, std::string_view name);

// The values of the samples "step_s" in order; what follows a chunk that is missing is not known to be in order and
// left out.
std::vector<double> StepTimes(const v1::Result& result);

// How many steps one of these step times stands for: on average, since samples at the ends of epochs are of fewer.
double StepsPerSample(const v1::Result& result, std::span<const double> step_s);

// How the speed of a run went (common/steadiness.h), from its samples "step_s"; empty where it sent none.
v1::Steadiness SteadinessOf(const v1::Result& result);

}  // namespace fleetmark
