#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "agent/worker/event_writer.h"
#include "agent/worker/run_loop.h"
#include "agent/worker/stopping.h"

namespace fleetmark {

// Tells the reader of the events how far a run is, twice a second from a thread of its own: the loop's thread only
// stores two numbers. Phases and epochs are written at once, they lie outside the timed part.
class ProgressReporter : public LoopObserver {
 public:
  // Both must outlive it; `rules` is only asked for ExpectedSteps.
  ProgressReporter(EventWriter* writer, const StopRules* rules);
  ~ProgressReporter() override;

  void OnPhase(const char* name) override;
  bool OnSteps(int64_t steps_done, double measured_s) override;
  void OnEpoch(const TrainingEpoch& epoch) override;

 private:
  void Report();

  EventWriter& writer_;
  const StopRules& rules_;
  const double started_;
  std::atomic<const char*> phase_{"load"};
  std::atomic<int64_t> steps_{0};
  std::atomic<double> measured_s_{0};
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace fleetmark
