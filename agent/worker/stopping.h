#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "agent/worker/parameters.h"

namespace fleetmark {

// What a stop rule may look at: the measured part so far, without warm-up.
struct MeasuredSoFar {
  int64_t steps = 0;
  double measured_s = 0;
  int64_t epochs = 0;              // complete ones, their warm-up steps included
  std::span<const double> step_s;  // one value a sample
};

// One reason to stop. Cheap enough to be asked after every sample. Not thread-safe.
class StopRule {
 public:
  virtual ~StopRule() = default;
  virtual const char* name() const = 0;  // "steps", "duration_s", "until_ci", "epochs"
  virtual bool Reached(const MeasuredSoFar& so_far) = 0;
  // Steps that may follow before the rule has to be asked again; at least 1.
  virtual int64_t StepsLeft(const MeasuredSoFar&) const { return INT64_MAX; }
  // How many measured steps there will be at `steps_per_s`; 0 when the rule cannot tell. Thread-safe.
  virtual double ExpectedSteps(double) const { return 0; }
};

std::unique_ptr<StopRule> StopAfterSteps(int64_t steps);
std::unique_ptr<StopRule> StopAfterDuration(double duration_s);
// When the 95 % interval of the mean step time is within `share` of it to either side; not before 30 samples and 1 s.
std::unique_ptr<StopRule> StopWhenCertain(double share);
// `measured_steps` is what the epochs leave after warm-up, for progress.
std::unique_ptr<StopRule> StopAfterEpochs(int64_t epochs, int64_t measured_steps);

// Several rules; the first that fires wins.
class StopRules {
 public:
  // The rules that `parameters` set: steps, duration_s, until_ci (0 = not set), and epochs where there are epochs
  // (steps_per_epoch > 0).
  static StopRules FromParameters(const Parameters& parameters, int64_t steps_per_epoch);

  void Add(std::unique_ptr<StopRule> rule) { rules_.push_back(std::move(rule)); }
  bool empty() const { return rules_.empty(); }
  // The name of the rule that fires; "" while none does.
  std::string Reached(const MeasuredSoFar& so_far);
  int64_t StepsLeft(const MeasuredSoFar& so_far) const;
  // The smallest expectation of the rules that can tell; 0 when none can. Thread-safe.
  double ExpectedSteps(double steps_per_s) const;

 private:
  std::vector<std::unique_ptr<StopRule>> rules_;
};

}  // namespace fleetmark
