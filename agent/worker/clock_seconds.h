#pragma once

#include <time.h>

namespace fleetmark {

// What `clock` (CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID) shows, in seconds.
inline double ClockSeconds(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace fleetmark
