// How fast this CPU is from moment to moment, in the eyes of somebody who does the same all the time.
//   steadiness_witness
// 25 times a second, at some 1 % of a CPU, it times multiply-adds over a block that fits the cache of one core, and
// prints a line "UNIX_S SECONDS", until its output is closed. Pin it to the CPU to be watched.
//
// The arithmetic is bound by what the core can put through, as a training step is: what a sibling thread of the host
// takes away slows it down. A hash, whose every operation waits for the one before, hardly notices.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>
#include <vector>

namespace {

constexpr int kFloats = 1 << 14;  // of each of two vectors: 128 KiB together
constexpr int kPasses = 100;      // some 150 us
constexpr int kTries = 3;         // of which the best counts: a moment's interruption says nothing of the CPU
constexpr std::chrono::milliseconds kPause{40};

double Took(std::vector<float>& sum, const std::vector<float>& added) {
  const auto began = std::chrono::steady_clock::now();
  for (int pass = 0; pass < kPasses; ++pass) {
    for (int i = 0; i < kFloats; ++i) {
      float value = sum[i];
      for (int term = 0; term < 8; ++term) value = value * 0.5F + added[i];
      sum[i] = value;
    }
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

}  // namespace

int main() {
  std::vector<float> sum(kFloats, 1), added(kFloats, 1);
  for (bool is_read = true; is_read; std::this_thread::sleep_for(kPause)) {
    double best_s = Took(sum, added);
    for (int again = 1; again < kTries; ++again) best_s = std::min(best_s, Took(sum, added));
    const std::chrono::duration<double> unix_time = std::chrono::system_clock::now().time_since_epoch();
    is_read = std::printf("%.3f %.9f\n", unix_time.count(), best_s) > 0 && std::fflush(stdout) == 0;
  }
  return 0;
}
