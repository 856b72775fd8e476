// What the statistics of a run with 100,000 steps cost after it, of the worker and of the agent: milliseconds each, the
// median of 11 repetitions, and their sum beside its limit. Exits with 1 where the sum is over that.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <vector>

#include "common/bootstrap.h"
#include "common/statistics.h"
#include "common/steadiness.h"
#include "common/warmup.h"
#include "tests/unit/common/traces.h"

namespace {

constexpr double kLimit_ms = 200;
constexpr size_t kSteps = 100000;

double sink = 0;  // so that nothing is optimised away

double MedianMilliseconds(const std::function<double()>& call) {
  std::vector<double> times;
  for (int repetition = 0; repetition < 11; ++repetition) {
    const auto start = std::chrono::steady_clock::now();
    sink += call();
    times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

// Of `step_s`, whose name is `trace`: prints each statistic's time and returns the sum.
double Cost(const char* trace, const std::vector<double>& step_s) {
  const std::pair<const char*, std::function<double()>> kStatistics[] = {
      {"summary of step times", [&] { return fleetmark::Summarize(step_s).mad; }},
      {"summary of rates",
       [&] {
         std::vector<double> rates;
         for (const double seconds : step_s) rates.push_back(1 / seconds);
         return fleetmark::Summarize(rates).mad;
       }},
      {"warm-up (MSER-5)", [&] { return static_cast<double>(fleetmark::FindWarmup(step_s).samples); }},
      {"interval (moving-block bootstrap)", [&] { return fleetmark::MeanInterval(step_s).low; }},
      // Change points (PELT) among them.
      {"steadiness", [&] { return *fleetmark::DescribeSteadiness(step_s, 1).sustained_it_per_s; }},
      // Here goes the verdict, over a result with its telemetry.
  };
  double sum = 0;
  for (const auto& [name, call] : kStatistics) {
    const double milliseconds = MedianMilliseconds(call);
    std::printf("%-16s %-34s %8.2f ms\n", trace, name, milliseconds);
    sum += milliseconds;
  }
  std::printf("%-16s %-34s %8.2f ms, limit %.0f ms\n", trace, "together", sum, kLimit_ms);
  return sum;
}

}  // namespace

int main() {
  const double independent = Cost("independent", fleetmark::Autoregression(1, kSteps, 0, 0.01, 0.0005));
  const double dependent = Cost("autocorrelated", fleetmark::Autoregression(1, kSteps, 0.95, 0.01, 0.0005));
  std::vector<double> drifting = fleetmark::Autoregression(1, kSteps, 0.5, 0.01, 0.0005);
  for (size_t i = 0; i < kSteps; ++i) drifting[i] *= 1 + static_cast<double>(i) / kSteps;
  return std::max({independent, dependent, Cost("drifting", drifting)}) < kLimit_ms && sink != 0 ? 0 : 1;
}
