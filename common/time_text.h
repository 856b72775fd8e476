#pragma once

#include <string>
#include <string_view>

#include "common/status.h"

namespace fleetmark {

// "90", "90s", "15m", "2h", "7d", "1w" in seconds.
StatusOr<double> ParseDuration(std::string_view text);

// A date or time ("2026-11-21", "2026-11-21T14:02", "2026-11-21 14:02:30", local time; a trailing Z is UTC), or a
// duration, which means that long before `now_unix_s`. Unix seconds.
StatusOr<double> ParseTime(std::string_view text, double now_unix_s);

// "2026-11-21 14:02:30", local time; "-" for 0.
std::string FormatTime(double unix_s);
// "14:02" when it is today, else "2026-11-20 14:02".
std::string FormatTimeBriefly(double unix_s, double now_unix_s);
// "0.8 s", "42 s", "3 min 20 s", "2 h 5 min".
std::string FormatDuration(double seconds);

}  // namespace fleetmark
