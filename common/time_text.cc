#include "common/time_text.h"

#include <time.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace fleetmark {
namespace {

tm LocalTime(double unix_s) {
  const auto seconds = static_cast<time_t>(unix_s);
  tm parts{};
  localtime_r(&seconds, &parts);
  return parts;
}

std::string Format(const tm& parts, const char* format) {
  std::array<char, 64> text{};
  return std::string(text.data(), strftime(text.data(), text.size(), format, &parts));
}

}  // namespace

StatusOr<double> ParseDuration(std::string_view text) {
  const Status bad = InvalidArgument("\"" + std::string(text) + "\" is not a duration", "write 90s, 15m, 2h, 7d or 1w");
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || !std::isfinite(value) || value < 0) return bad;
  const std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  if (unit.empty() || unit == "s") return value;
  if (unit == "m" || unit == "min") return value * 60;
  if (unit == "h") return value * 3600;
  if (unit == "d") return value * 86400;
  if (unit == "w") return value * 7 * 86400;
  return bad;
}

StatusOr<double> ParseTime(std::string_view text, double now_unix_s) {
  if (const StatusOr<double> ago = ParseDuration(text); ago.ok()) return now_unix_s - *ago;
  std::string word(text);
  const bool is_utc = !word.empty() && word.back() == 'Z';
  if (is_utc) word.pop_back();
  for (const char* format :
       {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d"}) {
    tm parts{};
    parts.tm_isdst = -1;
    const char* end = strptime(word.c_str(), format, &parts);
    if (end == nullptr || *end != '\0') continue;
    // strptime takes 2026-02-31; the calendar does not.
    const int day = parts.tm_mday;
    const time_t seconds = is_utc ? timegm(&parts) : mktime(&parts);
    if (parts.tm_mday != day) break;
    return static_cast<double>(seconds);
  }
  return InvalidArgument("\"" + std::string(text) + "\" is not a time",
                         "write a duration before now (7d, 2h) or a date (2026-11-21, \"2026-11-21 14:02\")");
}

std::string FormatTime(double unix_s) {
  if (unix_s == 0) return "-";
  return Format(LocalTime(unix_s), "%Y-%m-%d %H:%M:%S");
}

std::string FormatTimeBriefly(double unix_s, double now_unix_s) {
  if (unix_s == 0) return "-";
  const tm time = LocalTime(unix_s);
  const tm now = LocalTime(now_unix_s);
  const bool is_today = time.tm_year == now.tm_year && time.tm_yday == now.tm_yday;
  return Format(time, is_today ? "%H:%M" : "%Y-%m-%d %H:%M");
}

std::string FormatDuration(double seconds) {
  std::array<char, 64> text{};
  const auto print = [&text](const char* format, auto... values) {
    return std::string(text.data(), static_cast<size_t>(std::snprintf(text.data(), text.size(), format, values...)));
  };
  if (!std::isfinite(seconds) || seconds < 0) return "-";
  if (seconds < 9.95) return print("%.1f s", seconds);
  const auto whole = static_cast<long long>(std::llround(seconds));
  if (whole < 60) return print("%lld s", whole);
  if (whole < 3600) return print("%lld min %lld s", whole / 60, whole % 60);
  if (whole < 48LL * 3600) return print("%lld h %lld min", whole / 3600, whole % 3600 / 60);
  return print("%lld d %lld h", whole / 86400, whole % 86400 / 3600);
}

}  // namespace fleetmark
