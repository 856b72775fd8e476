#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/worker/known_ceilings.h"
#include "common/statistics.h"

namespace fleetmark {

// A metric as every workload means it; the worker's form of workload.proto's MetricSpec.
struct MetricDefinition {
  std::string_view name;
  std::string_view unit;
  std::string_view better;     // "more", "less", or "" where neither is
  std::string_view aggregate;  // over repetitions: "median", "best", "last", "sum"
  std::string_view doc;
};

// All metrics there are, in the order of the documentation.
std::span<const MetricDefinition> AllMetrics();
// One of them; asking for another is a mistake in the program and ends it.
const MetricDefinition& FindMetric(std::string_view name);

// One number of a result. `sample` and `interval` only where it was sampled.
struct MetricValue {
  const MetricDefinition* definition = nullptr;
  double value = 0;
  std::optional<Summary> sample = {};
  Interval interval = {};  // 95 %, of `value`
  bool is_best = false;    // `value` is the best of the sample, which has no interval
};

// Gathers the metrics of a run in order.
class MetricRecorder {
 public:
  explicit MetricRecorder(KnownCeilings ceilings = KnownCeilings()) : ceilings_(std::move(ceilings)) {}

  void Record(std::string_view name, double value);
  // `value` is the mean of `values`, given because it is known more exactly (total time / steps).
  void RecordTimes(std::string_view name, double value, std::span<const double> values);
  // `value` is the least of `values`.
  void RecordBestTime(std::string_view name, std::span<const double> values);
  // A rate: `per_step` units in each step; `value` = total units / total time, the sample is per_step / each time.
  void RecordRate(std::string_view name, double value, double per_step, std::span<const double> step_s);

  // Says why something was not recorded: one sentence for the result's notes.
  void Note(std::string sentence) { notes_.push_back(std::move(sentence)); }

  // What rates are compared with.
  KnownCeilings& ceilings() { return ceilings_; }

  bool Has(std::string_view name) const;
  const std::vector<MetricValue>& metrics() const { return metrics_; }
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  // That of the mean of `values`, moved to the mean that is known exactly.
  Interval IntervalAround(double exact_mean, std::span<const double> values);

  KnownCeilings ceilings_;
  std::vector<MetricValue> metrics_;
  std::vector<std::string> notes_;
  // The rates of a loop have their step times in common, and with them the interval: what it was computed of last.
  std::vector<double> interval_values_;
  Interval interval_;
};

}  // namespace fleetmark
