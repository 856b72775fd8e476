#include "coordinator/cli/render/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace fleetmark {
namespace {

constexpr int kDefaultWidth = 80;
constexpr int kDefaultHeight = 24;

int SizeFromEnvironment(const char* variable, int fallback) {
  const char* text = std::getenv(variable);
  const int size = text == nullptr ? 0 : std::atoi(text);
  return size > 0 ? size : fallback;
}

}  // namespace

Terminal MeasureTerminal(int fd) {
  Terminal terminal;
  terminal.is_terminal = isatty(fd) == 1;
  if (!terminal.is_terminal) return terminal;
  winsize size{};
  const bool known = ioctl(fd, TIOCGWINSZ, &size) == 0;
  terminal.width = known && size.ws_col > 0 ? size.ws_col : SizeFromEnvironment("COLUMNS", kDefaultWidth);
  terminal.height = known && size.ws_row > 0 ? size.ws_row : SizeFromEnvironment("LINES", kDefaultHeight);
  const char* no_colour = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  terminal.colour = (no_colour == nullptr || *no_colour == '\0') && term != nullptr && std::string_view(term) != "dumb";
  return terminal;
}

std::string Paint(std::string_view text, Style style, const Terminal& terminal) {
  if (!terminal.colour || style == Style::kPlain || text.empty()) return std::string(text);
  constexpr std::array<const char*, 6> kCodes = {"", "1", "2", "32", "31", "33"};
  return std::string("\x1b[") + kCodes[static_cast<size_t>(style)] + "m" + std::string(text) + "\x1b[0m";
}

Style StyleOfState(std::string_view state) {
  if (state == "succeeded" || state == "idle" || state == "OK") return Style::kGood;
  if (state == "failed" || state == "timed_out" || state == "interrupted" || state == "offline") return Style::kBad;
  if (state == "cancelled" || state == "draining" || state == "NOISY" || state == "THROTTLED" ||
      state == "INTERFERED" || state == "IMPLAUSIBLE") {
    return Style::kWarning;
  }
  return state == "running" || state == "busy" ? Style::kBold : Style::kPlain;
}

}  // namespace fleetmark
