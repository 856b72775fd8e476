#include "agent/worker/metrics.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "common/bootstrap.h"

namespace fleetmark {
namespace {

// The one table of metrics. RecordMetrics of a workload adds one by one Record call and its name in `metrics`.
constexpr MetricDefinition kMetrics[] = {
    {"it_per_s", "it/s", "more", "median", "steps a second over the measured part"},
    {"step_s", "s", "less", "median", "time of one step"},
    {"epoch_s", "s", "less", "median", "time of one epoch of training, without evaluation"},
    {"total_s", "s", "less", "median", "the whole training with its evaluations, from the first step on"},
    {"wall_s", "s", "less", "median", "time of one call"},
    {"process_s", "s", "less", "median", "CPU time of one call, over all threads"},
    {"first_call_s", "s", "less", "median", "time of the very first step, which is left out of the others"},
    {"samples_per_s", "samples/s", "more", "median", "samples trained on a second over the measured part"},
    {"tokens_per_s", "tokens/s", "more", "median", "tokens trained on a second over the measured part"},
    {"tflop_per_s", "TFLOP/s", "more", "median", "arithmetic that the step needs, counted by layer, 1e12 a second"},
    {"ceiling_share", "", "more", "median", "share of the best rate of arithmetic, or of memory, seen on this device"},
    {"gb_per_s", "GB/s", "more", "median", "memory traffic that the step needs at least, 1e9 bytes a second"},
    {"loss", "", "less", "last",
     "mean training loss of the last epoch; of a network that trains on one batch that of its last step"},
    {"accuracy", "", "more", "last", "share of the training set that was classified rightly during the last epoch"},
    {"val_loss", "", "less", "last", "mean loss on the validation set after the last epoch"},
    {"val_accuracy", "", "more", "last", "share of the validation set that is classified rightly after the last epoch"},
    {"alloc_count", "", "less", "last", "tensors that an epoch allocates"},
    {"alloc_bytes", "B", "less", "last", "memory that an epoch's tensors ask for, all together"},
    {"data_wait_s", "s", "less", "median", "of a step's time, what it waited for its batch"},
    {"load1", "", "less", "median", "load average of the last minute when the measured part began"},
    {"cpu_percent", "%", "", "median", "CPU time of the worker from the first step on, over the time; 100 is one core"},
    {"rss_peak_bytes", "B", "less", "median", "largest resident memory of the worker"},
    // These three come from the agent's sensors (agent/run_telemetry.h), whatever the runtime.
    {"gpu_util_percent", "%", "", "median", "share of the measured part in which the GPU was at work"},
    {"gpu_memory_bytes", "B", "less", "median", "most memory of the GPU in use during the measured part"},
    {"energy_j", "J", "less", "median",
     "energy of the measured part, evaluations between epochs included: CPU packages and GPU, as far as they have "
     "meters"},
    {"parameters_total", "", "", "last", "parameters of the model"},
    {"parameters_trainable", "", "", "last", "parameters of the model that training changes"},
};

}  // namespace

std::span<const MetricDefinition> AllMetrics() { return kMetrics; }

const MetricDefinition& FindMetric(std::string_view name) {
  for (const MetricDefinition& metric : kMetrics) {
    if (metric.name == name) return metric;
  }
  std::fprintf(stderr, "metric %.*s is not declared in metrics.cc\n", static_cast<int>(name.size()), name.data());
  std::abort();
}

bool MetricRecorder::Has(std::string_view name) const {
  return std::any_of(metrics_.begin(), metrics_.end(),
                     [name](const MetricValue& metric) { return metric.definition->name == name; });
}

void MetricRecorder::Record(std::string_view name, double value) { metrics_.push_back({&FindMetric(name), value}); }

void MetricRecorder::RecordTimes(std::string_view name, double value, std::span<const double> values) {
  metrics_.push_back({&FindMetric(name), value, Summarize(values), IntervalAround(value, values)});
}

void MetricRecorder::RecordBestTime(std::string_view name, std::span<const double> values) {
  const Summary sample = Summarize(values);
  metrics_.push_back({&FindMetric(name), sample.min, sample, {}, true});
}

void MetricRecorder::RecordRate(std::string_view name, double value, double per_step, std::span<const double> step_s) {
  std::vector<double> rates;
  rates.reserve(step_s.size());
  for (const double seconds : step_s) rates.push_back(per_step / seconds);
  // The interval is that of the mean step time, turned over: the mean of rates is not the rate.
  Interval interval = IntervalAround(per_step / value, step_s);
  if (interval.known && interval.low > 0) {
    interval = {per_step / interval.high, per_step / interval.low, true};
  } else {
    interval.known = false;
  }
  metrics_.push_back({&FindMetric(name), value, Summarize(rates), interval});
}

// Values may stand for different numbers of steps, and their plain mean is then not quite the exact one.
Interval MetricRecorder::IntervalAround(double exact_mean, std::span<const double> values) {
  if (!std::equal(values.begin(), values.end(), interval_values_.begin(), interval_values_.end())) {
    interval_values_.assign(values.begin(), values.end());
    interval_ = MeanInterval(values);
  }
  if (!interval_.known) return interval_;
  const double shift = exact_mean - Mean(values);
  return {interval_.low + shift, interval_.high + shift, true};
}

}  // namespace fleetmark
