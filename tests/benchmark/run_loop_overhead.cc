// What the run loop adds to a step: a workload that does nothing, every step a sample, against a bare loop of the same
// virtual call. Prints nanoseconds a step.
#include <chrono>
#include <cstdio>

#include "agent/worker/event_writer.h"
#include "agent/worker/progress_reporter.h"
#include "agent/worker/run_loop.h"

namespace fleetmark {
namespace {

class NoWork : public Workload {
 public:
  Status SetUp(const RunSetup&) override { return OkStatus(); }
  int64_t Step() override { return ++steps_; }
  void Synchronize() override {}
  void RecordMetrics(const LoopResult&, MetricRecorder*) const override {}

 private:
  int64_t steps_ = 0;
};

double Seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

double LoopNanoseconds(int64_t steps) {
  NoWork workload;
  EventWriter writer(2);
  StopRules rules;
  rules.Add(StopAfterSteps(steps));
  rules.Add(StopAfterDuration(3600));
  rules.Add(StopWhenCertain(1e-9));
  ProgressReporter reporter(&writer, &rules);
  const double started = Seconds();
  const auto result = RunLoop(&workload, {}, &rules, MonotonicClock(), &reporter);
  return result.ok() ? 1e9 * (Seconds() - started) / static_cast<double>(steps) : -1;
}

double BareNanoseconds(int64_t steps) {
  NoWork work;
  Workload* volatile workload = &work;
  const double started = Seconds();
  for (int64_t step = 0; step < steps; ++step) workload->Step();
  return 1e9 * (Seconds() - started) / static_cast<double>(steps);
}

}  // namespace
}  // namespace fleetmark

int main() {
  constexpr int64_t kSteps = 2000000;
  const double bare = fleetmark::BareNanoseconds(kSteps), loop = fleetmark::LoopNanoseconds(kSteps);
  std::printf("bare loop %.1f ns a step, run loop %.1f ns, added %.1f ns\n", bare, loop, loop - bare);
  return loop > 0 && loop - bare < 2000 ? 0 : 1;
}
