#pragma once

#include "agent/attempt.h"
#include "fleetmark/v1/run.pb.h"

namespace fleetmark::agent {

// The report that `attempt` ends with: `draft`, which tells what its worker did (empty when nobody knows), under the
// cause that ended it. What was cancelled stays cancelled even when the worker finished in the same moment.
v1::AttemptReport CompleteReport(const Attempt& attempt, v1::AttemptReport draft, double finished_unix_s);

}  // namespace fleetmark::agent
