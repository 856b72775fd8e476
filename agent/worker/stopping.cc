#include "agent/worker/stopping.h"

#include <algorithm>

#include "common/statistics.h"

namespace fleetmark {
namespace {

class StepsRule : public StopRule {
 public:
  explicit StepsRule(int64_t steps) : steps_(steps) {}
  const char* name() const override { return "steps"; }
  bool Reached(const MeasuredSoFar& so_far) override { return so_far.steps >= steps_; }
  int64_t StepsLeft(const MeasuredSoFar& so_far) const override { return steps_ - so_far.steps; }
  double ExpectedSteps(double) const override { return static_cast<double>(steps_); }

 private:
  const int64_t steps_;
};

class DurationRule : public StopRule {
 public:
  explicit DurationRule(double duration_s) : duration_s_(duration_s) {}
  const char* name() const override { return "duration_s"; }
  bool Reached(const MeasuredSoFar& so_far) override { return so_far.measured_s >= duration_s_; }
  double ExpectedSteps(double steps_per_s) const override { return duration_s_ * steps_per_s; }

 private:
  const double duration_s_;
};

class CertaintyRule : public StopRule {
 public:
  explicit CertaintyRule(double share) : share_(share) {}
  const char* name() const override { return "until_ci"; }
  bool Reached(const MeasuredSoFar& so_far) override {
    const size_t n = so_far.step_s.size();
    if (n < next_check_ || so_far.measured_s < kShortest_s) return false;
    // Looking costs time in proportion to n: looking again only when n has grown by a tenth keeps it constant a step.
    next_check_ = n + std::max<size_t>(n / 10, 1);
    const Interval interval = BlockMeanInterval(so_far.step_s);
    return interval.known && interval.high - interval.low <= share_ * (interval.high + interval.low);
  }

 private:
  static constexpr double kShortest_s = 1;
  const double share_;
  size_t next_check_ = 30;
};

class EpochsRule : public StopRule {
 public:
  EpochsRule(int64_t epochs, int64_t measured_steps) : epochs_(epochs), measured_steps_(measured_steps) {}
  const char* name() const override { return "epochs"; }
  bool Reached(const MeasuredSoFar& so_far) override { return so_far.epochs >= epochs_; }
  double ExpectedSteps(double) const override { return static_cast<double>(measured_steps_); }

 private:
  const int64_t epochs_;
  const int64_t measured_steps_;
};

}  // namespace

std::unique_ptr<StopRule> StopAfterSteps(int64_t steps) { return std::make_unique<StepsRule>(steps); }
std::unique_ptr<StopRule> StopAfterDuration(double duration_s) { return std::make_unique<DurationRule>(duration_s); }
std::unique_ptr<StopRule> StopWhenCertain(double share) { return std::make_unique<CertaintyRule>(share); }
std::unique_ptr<StopRule> StopAfterEpochs(int64_t epochs, int64_t measured_steps) {
  return std::make_unique<EpochsRule>(epochs, measured_steps);
}

StopRules StopRules::FromParameters(const Parameters& parameters, int64_t steps_per_epoch) {
  StopRules rules;
  if (const int64_t steps = parameters.Int("steps"); steps > 0) rules.Add(StopAfterSteps(steps));
  if (const double share = parameters.Double("until_ci"); share > 0) rules.Add(StopWhenCertain(share));
  if (steps_per_epoch > 0) {
    const int64_t epochs = parameters.Int("epochs");
    rules.Add(StopAfterEpochs(epochs, epochs * steps_per_epoch - parameters.Int("warmup")));
  }
  if (const double duration_s = parameters.Double("duration_s"); duration_s > 0) {
    rules.Add(StopAfterDuration(duration_s));
  }
  return rules;
}

std::string StopRules::Reached(const MeasuredSoFar& so_far) {
  for (const auto& rule : rules_) {
    if (rule->Reached(so_far)) return rule->name();
  }
  return "";
}

int64_t StopRules::StepsLeft(const MeasuredSoFar& so_far) const {
  int64_t left = INT64_MAX;
  for (const auto& rule : rules_) left = std::min(left, rule->StepsLeft(so_far));
  return std::max<int64_t>(left, 1);
}

double StopRules::ExpectedSteps(double steps_per_s) const {
  double fewest = 0;
  for (const auto& rule : rules_) {
    const double expected = rule->ExpectedSteps(steps_per_s);
    if (expected > 0 && (fewest == 0 || expected < fewest)) fewest = expected;
  }
  return fewest;
}

}  // namespace fleetmark
