// What the statistics and the verdict of a run with 100,000 steps cost after it, of the worker and of the agent:
// milliseconds each, the median of 11 repetitions, and their sum beside its limit. Exits with 1 where the sum is over
// that.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <vector>

#include "common/bootstrap.h"
#include "common/run_evidence.h"
#include "common/statistics.h"
#include "common/steadiness.h"
#include "common/telemetry.h"
#include "common/verdict.h"
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

// An hour's run with those step times and twelve series of telemetry.
fleetmark::v1::Result ResultOf(const std::vector<double>& step_s) {
  constexpr int kPoints = 2000;
  fleetmark::v1::Result result;
  fleetmark::v1::Samples* samples = result.add_samples();
  samples->set_name("step_s");
  samples->mutable_values()->Add(step_s.begin(), step_s.end());
  fleetmark::v1::Telemetry* telemetry = result.mutable_telemetry();
  telemetry->set_interval_s(1.8);
  for (int i = 1; i <= kPoints; ++i) telemetry->add_at_s(1.8 * i);
  namespace names = fleetmark::telemetry;
  for (const names::SeriesName& name : {names::kCpu, names::kWorkerCpu, names::kWorkerSystem, names::kWorkerPageFaults,
                                        names::kOtherCpu, names::kSteal, names::kQuota, names::kLoad1, names::kCpuClock,
                                        names::kCpuTemperature, names::kCpuHeatThrottles, names::kPackagePower}) {
    fleetmark::v1::TelemetrySeries* series = telemetry->add_series();
    series->set_name(name.name);
    for (int i = 0; i < kPoints; ++i) series->add_values(static_cast<float>(i % 7));
  }
  *result.mutable_steadiness() = fleetmark::SteadinessOf(result);
  return result;
}

// Of `step_s`, whose name is `trace`: prints each statistic's time and returns the sum.
double Cost(const char* trace, const std::vector<double>& step_s) {
  const fleetmark::v1::Result result = ResultOf(step_s);
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
      {"verdict", [&] { return static_cast<double>(fleetmark::Judge(result).evidence_size()); }},
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
