// LD_PRELOADed into a daemon: its wall clock is off by as many seconds as the file that SHIFTED_CLOCK names says, and
// steps as soon as that file says something else. Other clocks stay as they are, and so do waits until a moment of the
// wall clock, which the kernel counts by its own: where Abseil makes such waits for gRPC they end early or late.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace {

using ClockGetTime = int (*)(clockid_t, timespec*);

// One int64_t in the machine's byte order, shared with whoever writes the file. Without one, the clock is right.
int64_t Shift() {
  static const volatile int64_t* const shift = [] {
    static const int64_t none = 0;
    const char* path = std::getenv("SHIFTED_CLOCK");
    const int file = path == nullptr ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return &none;
    void* mapped = mmap(nullptr, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
    close(file);
    return mapped == MAP_FAILED ? &none : static_cast<const int64_t*>(mapped);
  }();
  return *shift;
}

int RealTime(clockid_t clock, timespec* now) {
  static const auto real = reinterpret_cast<ClockGetTime>(dlsym(RTLD_NEXT, "clock_gettime"));
  return real(clock, now);
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* now) {
  const int result = RealTime(clock, now);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += Shift();
  return result;
}

int gettimeofday(timeval* now, void*) noexcept {
  timespec precise{};
  clock_gettime(CLOCK_REALTIME, &precise);
  *now = {precise.tv_sec, precise.tv_nsec / 1000};
  return 0;
}

time_t time(time_t* out) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}
}
