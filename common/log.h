#pragma once

#include <string>

#include "common/status.h"

namespace fleetmark {

// Sets up spdlog's default logger on stderr. `level`: "debug", "info", "warn" or "error"; `format`: "text" or "json"
// (one object a line with time, level, message).
Status InitialiseLog(const std::string& level, const std::string& format);

}  // namespace fleetmark
