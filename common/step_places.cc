#include "common/step_places.h"

#include <algorithm>
#include <cmath>

#include "common/run_evidence.h"

namespace fleetmark {
namespace {

// What the steps before the measured part took, which the first epoch begins with.
struct FixedWarmup {
  explicit FixedWarmup(const v1::Result& result) {
    const v1::WorkerResult& summary = result.summary();
    const int64_t steps = int64_t{summary.warmup_steps()} - summary.warmup_found();
    if (steps <= 0 || summary.steps() <= 0) return;
    const double mean_s = summary.measured_s() / summary.steps();
    const v1::Metric* first_call = FindMetric(result, "first_call_s");
    first_call_s = first_call != nullptr ? first_call->value() : mean_s;
    others_s = static_cast<double>(steps - 1) * mean_s;
  }
  double first_call_s = 0;
  double others_s = 0;  // a guess: as long as the mean of those that were measured
};

}  // namespace

StepPlaces::StepPlaces(const v1::Result& result) {
  const std::vector<double> step_s = StepTimes(result);
  const double per_value = StepsPerSample(result, step_s);
  begins_s_ = {result.summary().warmup_found_s()};
  for (const double seconds : step_s) begins_s_.push_back(begins_s_.back() + per_value * seconds);
  const v1::Telemetry& telemetry = result.telemetry();
  const double steps_s = begins_s_.back();
  length_s_ = std::max(telemetry.measured_until_s() - telemetry.measured_from_s(), steps_s);
  const FixedWarmup warmup(result);
  double end_s = -warmup.first_call_s - warmup.others_s;
  for (const v1::TrainingEpoch& epoch : result.training_epochs()) {
    end_s += std::max(epoch.epoch_s(), 0.0);
    // One that ended with the warm-up was evaluated before the measured part.
    if (end_s > warmup.others_s / 2) epoch_ends_s_.push_back(std::min(end_s, steps_s));
  }
  evaluation_s_ = (length_s_ - steps_s) / static_cast<double>(std::max<size_t>(epoch_ends_s_.size(), 1));
  if (epoch_ends_s_.empty() || evaluation_s_ < telemetry.interval_s()) {
    epoch_ends_s_.clear();
    length_s_ = steps_s;
  }
}

std::vector<MeasuredPart> StepPlaces::Of(size_t first, size_t last) const {
  if (!std::isfinite(length_s_)) return {};
  double from_s = begins_s_[std::min(first, begins_s_.size() - 1)];
  const double until_s = begins_s_[std::min(last, begins_s_.size() - 1)];
  auto end = std::upper_bound(epoch_ends_s_.begin(), epoch_ends_s_.end(), from_s);
  std::vector<MeasuredPart> parts;
  while (from_s < until_s) {
    const double evaluated_s = evaluation_s_ * static_cast<double>(end - epoch_ends_s_.begin());
    double part_until_s = until_s;
    if (end != epoch_ends_s_.end()) {
      part_until_s = std::min(until_s, *end);
      ++end;
    }
    if (from_s < part_until_s) {
      parts.push_back({(from_s + evaluated_s) / length_s_, (part_until_s + evaluated_s) / length_s_});
    }
    from_s = part_until_s;
  }
  return parts;
}

}  // namespace fleetmark
