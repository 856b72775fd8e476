#include "coordinator/cli/wait_flags.h"

#include "common/time_text.h"

namespace fleetmark {

StatusOr<double> ParseLimit(const std::string& text, const std::string& flag) {
  if (text.empty()) return 0.0;
  const StatusOr<double> seconds = ParseDuration(text);
  if (!seconds.ok()) return InvalidArgument(flag + ": " + seconds.status().message(), seconds.status().hint());
  if (*seconds <= 0)
    return InvalidArgument(flag + " " + text + ": it must be more than 0", "write for example 90s or 15m");
  return seconds;
}

ProgressMode ChooseProgressMode(const Console& console, bool lines_when_piped) {
  if (console.json()) return ProgressMode::kNone;
  if (console.terminal().is_terminal) return ProgressMode::kLive;
  return lines_when_piped ? ProgressMode::kLines : ProgressMode::kNone;
}

}  // namespace fleetmark
