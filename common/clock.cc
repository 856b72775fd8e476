#include "common/clock.h"

#include <time.h>

#include <fstream>

namespace fleetmark {
namespace {

int64_t Read(clockid_t id) {
  timespec time{};
  clock_gettime(id, &time);
  return time.tv_sec * kNanosPerSecond + time.tv_nsec;
}

class SystemClock final : public Clock {
 public:
  Moment Now() const override { return {Read(CLOCK_REALTIME), Read(CLOCK_BOOTTIME)}; }
};

}  // namespace

const Clock& RealClock() {
  static const SystemClock clock;
  return clock;
}

std::string BootId() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

}  // namespace fleetmark
