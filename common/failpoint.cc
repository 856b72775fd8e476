#include "common/failpoint.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <new>
#include <string>

namespace fleetmark {
namespace {

constexpr const char* kVariable = "FLEETMARK_FAILPOINT";

// How often it will still be passed; in memory that children share, so that each counts for all.
std::atomic<int>* passes_left = nullptr;

std::string AllNames() {
  std::string names;
  for (const std::string_view name : kFailPoints) names += (names.empty() ? "" : ", ") + std::string(name);
  return names;
}

}  // namespace

namespace internal {

void PassArmedFailPoint() {
  if (passes_left->fetch_sub(1) != 1) return;
  kill(getpid(), SIGKILL);
  while (true) pause();
}

}  // namespace internal

Status ArmFailPoint() {
  const char* text = std::getenv(kVariable);
  if (text == nullptr || *text == '\0') return OkStatus();
  const std::string_view value = text;
  const size_t colon = std::min(value.find(':'), value.size());
  int count = 1;
  if (colon < value.size()) {
    const auto [end, error] = std::from_chars(value.data() + colon + 1, value.data() + value.size(), count);
    if (error != std::errc() || end != value.data() + value.size() || count < 1) {
      return InvalidArgument(std::string(kVariable) + "=" + text + ": what follows the colon is no count",
                             "NAME, or NAME:COUNT with a COUNT from 1");
    }
  }
  const auto found = std::find(kFailPoints.begin(), kFailPoints.end(), value.substr(0, colon));
  if (found == kFailPoints.end()) {
    return InvalidArgument(std::string(kVariable) + "=" + text + " names no fail point", "one of " + AllNames());
  }
  void* shared = mmap(nullptr, sizeof(std::atomic<int>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return Internal("no memory for a counter of fail points");
  passes_left = new (shared) std::atomic<int>(count);
  internal::armed_fail_point = static_cast<int>(found - kFailPoints.begin());
  return OkStatus();
}

}  // namespace fleetmark
