#include "agent/worker/run_loop.h"

#include <algorithm>
#include <cmath>

#include "agent/worker/clock_seconds.h"
#include "agent/worker/failure.h"

namespace fleetmark {
namespace {

// Room for samples made before timing starts: reserved address space that costs memory only once it is written to.
constexpr size_t kReservedSamples = size_t{1} << 20;
constexpr int64_t kMostStepsPerSample = int64_t{1} << 20;

class RealMonotonicClock : public LoopClock {
 public:
  double Now() const override { return ClockSeconds(CLOCK_MONOTONIC); }
};

bool Finite(const EpochScore& score) {
  return std::isfinite(score.loss.value_or(0)) && std::isfinite(score.val_loss.value_or(0));
}

// One execution of RunLoop.
class Loop {
 public:
  Loop(Workload* workload, const LoopOptions& options, StopRules* rules, const LoopClock& clock, LoopObserver* observer)
      : workload_(*workload),
        options_(options),
        rules_(*rules),
        clock_(clock),
        observer_(*observer),
        steps_per_epoch_(workload->StepsPerEpoch()) {
    result_.step_s.reserve(kReservedSamples);
    result_.totals.reserve(kReservedSamples);
  }

  StatusOr<LoopResult> Run() {
    observer_.OnPhase("warm-up");
    const double started = clock_.Now();
    FLEETMARK_RETURN_IF_ERROR(WarmUp());
    observer_.OnPhase("measure");
    while (result_.stop_reason.empty()) FLEETMARK_RETURN_IF_ERROR(Measure());
    result_.total_s = clock_.Now() - started;
    observer_.OnPhase("finish");
    if (step_in_epoch_ > 0) result_.loss_so_far = workload_.LossSoFar();
    if (!std::isfinite(result_.loss_so_far.value_or(0))) {
      return Diverged("the loss is not finite after " + std::to_string(result_.steps) +
                      " measured steps: training diverged");
    }
    return std::move(result_);
  }

 private:
  struct Block {
    double seconds;
    int64_t samples;
  };

  Block RunBlock(int64_t steps) {
    if (steps_per_epoch_ > 0 && step_in_epoch_ == 0) workload_.BeginEpoch();
    const double before = clock_.Now();
    int64_t samples = 0;
    for (int64_t step = 0; step < steps; ++step) samples += workload_.Step();
    workload_.Synchronize();
    const Block block = {clock_.Now() - before, samples};
    step_in_epoch_ += steps;
    epoch_s_ += block.seconds;
    return block;
  }

  Status WarmUp() {
    const Block first = RunBlock(1);
    result_.first_call_s = first.seconds;
    samples_per_step_ = first.samples;
    result_.warmup_steps = 1;
    double step_s = result_.first_call_s;
    while (result_.warmup_steps < options_.warmup_steps) {
      FLEETMARK_RETURN_IF_ERROR(FinishEpochIfDue("warm-up"));
      // In two halves: the rate of the second decides how many steps make a sample.
      const int64_t left = options_.warmup_steps - result_.warmup_steps;
      const int64_t half = result_.warmup_steps == 1 ? (left + 1) / 2 : left;
      const int64_t steps = std::min(half, StepsLeftInEpoch());
      step_s = RunBlock(steps).seconds / static_cast<double>(steps);
      result_.warmup_steps += steps;
    }
    const int64_t known_steps = rules_.StepsLeft(SoFar());
    most_steps_per_sample_ = std::clamp<int64_t>(known_steps / options_.fewest_samples, 1, kMostStepsPerSample);
    if (options_.shortest_sample_s > 0 && step_s > 0) {
      const double steps = std::ceil(options_.shortest_sample_s / step_s);
      result_.steps_per_sample =
          static_cast<int64_t>(std::clamp(steps, 1.0, static_cast<double>(most_steps_per_sample_)));
    }
    return FinishEpochIfDue("measure");
  }

  Status Measure() {
    const int64_t steps = std::min({result_.steps_per_sample, StepsLeftInEpoch(), rules_.StepsLeft(SoFar())});
    const Block block = RunBlock(steps);
    result_.steps += steps;
    result_.samples += block.samples;
    result_.measured_s += block.seconds;
    // The last step of an epoch may take in fewer samples: it counts in the totals, but its time is no step's time.
    if (block.samples >= steps * samples_per_step_) {
      result_.step_s.push_back(block.seconds / static_cast<double>(steps));
      result_.totals.push_back({result_.steps, result_.samples, result_.measured_s});
    }
    // The warm-up may have been disturbed and have promised longer steps.
    if (block.seconds < options_.shortest_sample_s / 2 && steps == result_.steps_per_sample) {
      result_.steps_per_sample = std::min(2 * steps, most_steps_per_sample_);
    }
    if (!observer_.OnSteps(result_.steps, result_.measured_s)) {
      return Internal("nobody reads the worker's events any more", "", "internal");
    }
    FLEETMARK_RETURN_IF_ERROR(FinishEpochIfDue("measure"));
    result_.stop_reason = rules_.Reached(SoFar());
    return OkStatus();
  }

  MeasuredSoFar SoFar() const {
    return {result_.steps, result_.measured_s, static_cast<int64_t>(result_.epochs.size()), result_.step_s};
  }

  int64_t StepsLeftInEpoch() const { return steps_per_epoch_ > 0 ? steps_per_epoch_ - step_in_epoch_ : INT64_MAX; }

  Status FinishEpochIfDue(const char* phase_after) {
    if (steps_per_epoch_ == 0 || step_in_epoch_ < steps_per_epoch_) return OkStatus();
    observer_.OnPhase("evaluate");
    const TrainingEpoch epoch = {static_cast<int64_t>(result_.epochs.size()) + 1, epoch_s_, workload_.EndEpoch()};
    if (!Finite(epoch.score)) {
      return Diverged("the loss is not finite after epoch " + std::to_string(epoch.epoch) + ": training diverged");
    }
    result_.epochs.push_back(epoch);
    observer_.OnEpoch(epoch);
    step_in_epoch_ = 0;
    epoch_s_ = 0;
    observer_.OnPhase(phase_after);
    return OkStatus();
  }

  Workload& workload_;
  const LoopOptions options_;
  StopRules& rules_;
  const LoopClock& clock_;
  LoopObserver& observer_;
  const int64_t steps_per_epoch_;
  int64_t step_in_epoch_ = 0;
  double epoch_s_ = 0;
  int64_t most_steps_per_sample_ = 1;
  int64_t samples_per_step_ = 0;  // of a whole batch
  LoopResult result_;
};

}  // namespace

const LoopClock& MonotonicClock() {
  static const RealMonotonicClock clock;
  return clock;
}

StatusOr<LoopResult> RunLoop(Workload* workload, const LoopOptions& options, StopRules* rules, const LoopClock& clock,
                             LoopObserver* observer) {
  return Loop(workload, options, rules, clock, observer).Run();
}

}  // namespace fleetmark
