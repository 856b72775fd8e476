#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/worker/stopping.h"
#include "agent/worker/workload.h"
#include "common/status.h"

namespace fleetmark {

// Seconds of a clock that only goes forward. Tests give their own.
class LoopClock {
 public:
  virtual ~LoopClock() = default;
  virtual double Now() const = 0;
};
// CLOCK_MONOTONIC; lives for ever, thread-safe.
const LoopClock& MonotonicClock();

struct TrainingEpoch {
  int64_t epoch = 0;  // from 1
  double epoch_s = 0;
  EpochScore score;
};

// Hears what the loop does, from the loop's thread, never between two readings of the clock that a sample is made of.
class LoopObserver {
 public:
  virtual ~LoopObserver() = default;
  virtual void OnPhase(const char* name) = 0;  // "warm-up", "measure", "evaluate", "finish"
  // After each sample; has to return within nanoseconds. False stops the run (nobody is listening any more).
  virtual bool OnSteps(int64_t steps_done, double measured_s) = 0;
  virtual void OnEpoch(const TrainingEpoch& epoch) = 0;
};

struct LoopOptions {
  // Steps left out of the measurement, the first call included; at least 1.
  int64_t warmup_steps = 1;
  // A sample is the mean over as many steps as take about this long: 0 makes every step a sample. Longer where a
  // reading of the clock costs a wait for the device, or where steps are so short that their number would be too large.
  double shortest_sample_s = 0;
  // Where the number of steps is known beforehand, they give at least this many samples (or one each), however short.
  int64_t fewest_samples = 1;
};

// The measured part from its beginning to the end of some sample.
struct LoopTotals {
  int64_t steps = 0;
  int64_t samples = 0;  // that the steps took in
  double measured_s = 0;
};

struct LoopResult {
  double first_call_s = 0;
  int64_t warmup_steps = 0;
  int64_t warmup_found = 0;           // of warmup_steps, those that KeepSteadyPart found
  double warmup_found_s = 0;          // and what they took
  std::vector<double> warmup_step_s;  // as step_s
  std::optional<bool> is_steady;      // Warmup::is_steady; absent before KeepSteadyPart
  int64_t steps = 0;                  // measured
  int64_t samples = 0;                // that the measured steps took in
  double measured_s = 0;              // of the measured steps alone, evaluation left out
  double total_s = 0;                 // from the first step to the end, evaluation included
  std::vector<double> step_s;  // one value a sample, in order; without an epoch's last step where its batch is short
  std::vector<LoopTotals> totals;     // at the end of each of step_s
  int64_t steps_per_sample = 1;       // the most there were
  std::vector<TrainingEpoch> epochs;  // complete ones
  std::optional<double> loss_so_far;  // of the epoch in which the run stopped, where it did not complete it
  std::string stop_reason;            // the name of the rule that fired
};

// Warms `workload` up, then measures it until a rule fires. The observer hears "finish" when the last step is done,
// before anything else is. Adds well under 2 microseconds to a step. Fails with "diverged" when a loss is not finite,
// and with "internal" when the observer asked to stop.
StatusOr<LoopResult> RunLoop(Workload* workload, const LoopOptions& options, StopRules* rules, const LoopClock& clock,
                             LoopObserver* observer);

}  // namespace fleetmark
