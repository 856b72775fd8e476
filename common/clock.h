#pragma once

#include <cmath>
#include <cstdint>
#include <string>

namespace fleetmark {

// One moment on both clocks: `unix_ns` is for people and may step, `boottime_ns` (CLOCK_BOOTTIME) never goes back,
// counts suspended time, and is what every deadline and lease uses.
struct Moment {
  int64_t unix_ns = 0;
  int64_t boottime_ns = 0;

  double unix_s() const { return static_cast<double>(unix_ns) * 1e-9; }
};

inline constexpr int64_t kNanosPerSecond = 1'000'000'000;
// Whatever is longer than a century, for ever and NaN too, is a century, so that the sum with a moment still is one.
inline int64_t SecondsToNanos(double seconds) {
  constexpr double kCenturyS = 100 * 365.25 * 86'400;
  return static_cast<int64_t>(std::fmax(-kCenturyS, std::fmin(seconds, kCenturyS)) * 1e9);
}

// Thread-safe. Tests use tests/fakes/fake_clock.h.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Moment Now() const = 0;
};

// The machine's own clocks; lives for ever.
const Clock& RealClock();

// The kernel's boot id, which changes with each boot of this machine.
std::string BootId();

}  // namespace fleetmark
