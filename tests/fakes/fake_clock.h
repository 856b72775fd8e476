#pragma once

#include <mutex>

#include "common/clock.h"

namespace fleetmark {

// Stands still until it is moved. Thread-safe.
class FakeClock final : public Clock {
 public:
  Moment Now() const override {
    const std::lock_guard lock(mutex_);
    return now_;
  }
  void Advance(double seconds) {
    const std::lock_guard lock(mutex_);
    now_.unix_ns += SecondsToNanos(seconds);
    now_.boottime_ns += SecondsToNanos(seconds);
  }

 private:
  mutable std::mutex mutex_;
  Moment now_{1'700'000'000 * kNanosPerSecond, 1'000 * kNanosPerSecond};
};

}  // namespace fleetmark
