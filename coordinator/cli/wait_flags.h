#pragma once

#include <string>

#include "common/status.h"
#include "coordinator/cli/console.h"
#include "coordinator/cli/progress_display.h"

namespace fleetmark {

// Seconds of a --timeout or --wait-timeout; 0 for "".
StatusOr<double> ParseLimit(const std::string& text, const std::string& flag);

// How runs are shown while `console` waits for them: redrawn in a terminal, as lines elsewhere when `lines_when_piped`,
// never with --json.
ProgressMode ChooseProgressMode(const Console& console, bool lines_when_piped);

}  // namespace fleetmark
