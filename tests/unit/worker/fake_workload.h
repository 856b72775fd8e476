#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agent/worker/run_loop.h"

namespace fleetmark {

class FakeClock : public LoopClock {
 public:
  double Now() const override { return now_; }
  void Advance(double seconds) { now_ += seconds; }

 private:
  double now_ = 1000;
};

// A workload whose steps take as long on the fake clock as `step_s` says for the step of that number (from 0).
class FakeWorkload : public Workload {
 public:
  FakeWorkload(FakeClock* clock, std::function<double(int64_t)> step_s) : clock_(*clock), step_s_(std::move(step_s)) {}

  Status SetUp(const RunSetup&) override { return OkStatus(); }
  int64_t Step() override {
    clock_.Advance(step_s_(steps++));
    return steps_per_epoch > 0 && steps % steps_per_epoch == 0 ? last_batch : 64;
  }
  void Synchronize() override { ++synchronisations; }
  int64_t StepsPerEpoch() const override { return steps_per_epoch; }
  void BeginEpoch() override { ++epochs_begun; }
  EpochScore EndEpoch() override {
    clock_.Advance(100);  // evaluation: must not be counted as training
    return score;
  }
  double LossSoFar() override { return loss_so_far; }
  void RecordMetrics(const LoopResult&, MetricRecorder*) const override {}

  int64_t steps = 0;
  int64_t synchronisations = 0;
  int64_t steps_per_epoch = 0;
  int64_t epochs_begun = 0;
  int64_t last_batch = 64;  // of an epoch
  EpochScore score = {.loss = 0.5};
  double loss_so_far = 0.5;

 private:
  FakeClock& clock_;
  const std::function<double(int64_t)> step_s_;
};

class RecordingObserver : public LoopObserver {
 public:
  void OnPhase(const char* name) override { phases.push_back(name); }
  bool OnSteps(int64_t steps_done, double) override { return steps_done < stop_at; }
  void OnEpoch(const TrainingEpoch& epoch) override { epochs.push_back(epoch); }

  std::vector<std::string> phases;
  std::vector<TrainingEpoch> epochs;
  int64_t stop_at = INT64_MAX;
};

}  // namespace fleetmark
