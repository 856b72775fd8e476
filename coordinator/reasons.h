#pragma once

#include <string>

#include "coordinator/core_state.h"

namespace fleetmark {

// One sentence: why a queued run waits and how many are before it, or what a running one does.
std::string ReasonOfRun(const CoreState& state, const Run& run, const Moment& now);

// "idle", "busy", "offline" or "draining".
std::string StateOfAgent(const Agent& agent);
// Why it is not idle; "" when it is.
std::string ReasonOfAgent(const Agent& agent, const Moment& now);

}  // namespace fleetmark
