#pragma once

#include <optional>
#include <string>

#include "agent/worker/event_writer.h"
#include "agent/worker/run_spec_json.h"
#include "common/status.h"

namespace fleetmark {

// Executes one run and writes its events, `result` last. `main_started` is a reading of MonotonicClock.
// `standard_input` is the specification's text when it was read from there. What fails is returned, not written.
Status ExecuteRun(const RunSpec& spec, const std::optional<std::string>& standard_input, double main_started,
                  EventWriter* writer);

}  // namespace fleetmark
