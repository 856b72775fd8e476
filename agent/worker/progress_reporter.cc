#include "agent/worker/progress_reporter.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace fleetmark {
namespace {

constexpr std::chrono::milliseconds kInterval(500);

}  // namespace

ProgressReporter::ProgressReporter(EventWriter* writer, const StopRules* rules)
    : writer_(*writer), rules_(*rules), started_(MonotonicClock().Now()), thread_([this] {
        std::unique_lock<std::mutex> lock(mutex_);
        while (!wake_.wait_for(lock, kInterval, [this] { return stopping_; })) Report();
      }) {}

ProgressReporter::~ProgressReporter() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void ProgressReporter::OnPhase(const char* name) {
  phase_ = name;
  writer_.Phase(name);
}

bool ProgressReporter::OnSteps(int64_t steps_done, double measured_s) {
  steps_.store(steps_done, std::memory_order_relaxed);
  measured_s_.store(measured_s, std::memory_order_relaxed);
  return writer_.open();
}

void ProgressReporter::OnEpoch(const TrainingEpoch& epoch) { writer_.Epoch(epoch); }

void ProgressReporter::Report() {
  const double steps = static_cast<double>(steps_.load(std::memory_order_relaxed));
  const double measured_s = measured_s_.load(std::memory_order_relaxed);
  const double rate = measured_s > 0 ? steps / measured_s : 0;
  const double total = std::round(rules_.ExpectedSteps(rate));
  Json progress = {{"phase", phase_.load()}, {"done", steps}, {"total", total}};
  if (rate > 0) {
    progress["rate"] = rate;
    progress["rate_unit"] = "it/s";
  }
  progress["elapsed_s"] = MonotonicClock().Now() - started_;
  if (rate > 0 && total > 0) progress["eta_s"] = std::max(0.0, total - steps) / rate;
  writer_.Progress(progress);
}

}  // namespace fleetmark
