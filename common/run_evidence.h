#pragma once

#include "fleetmark/v1/run.pb.h"

namespace fleetmark {

// How the speed of a run went (common/steadiness.h), from its samples "step_s"; empty where it sent none.
v1::Steadiness SteadinessOf(const v1::Result& result);

}  // namespace fleetmark
