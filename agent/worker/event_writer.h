#pragma once

#include <atomic>
#include <mutex>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

#include "agent/worker/metrics.h"
#include "agent/worker/run_loop.h"
#include "common/status.h"

namespace fleetmark {

using Json = nlohmann::ordered_json;

// A number as proto3 JSON writes it: NaN and the infinities are strings.
Json JsonNumber(double value);

// Writes WorkerEvent (run.proto) as JSON Lines to a descriptor. Thread-safe. When the reader is gone (EPIPE) it drops
// everything that follows; SIGPIPE has to be ignored by the program.
class EventWriter {
 public:
  explicit EventWriter(int descriptor) : descriptor_(descriptor) {}
  EventWriter(const EventWriter&) = delete;
  EventWriter& operator=(const EventWriter&) = delete;

  void Started(const Json& environment);
  void Phase(std::string_view name);
  void Progress(const Json& progress);
  void Epoch(const TrainingEpoch& epoch);
  void Metric(const MetricValue& metric);
  // In lines of at most a few thousand values.
  void Samples(std::string_view name, std::string_view unit, std::span<const double> values);
  void Ceiling(const fleetmark::Ceiling& ceiling);
  void Result(const Json& result);
  void Error(const Status& failure);

  // False once nobody reads. Wait-free.
  bool open() const { return open_.load(std::memory_order_relaxed); }

 private:
  void Write(const char* event, Json body);

  const int descriptor_;
  std::mutex mutex_;  // held while a line is written, so that lines never mix
  std::atomic<bool> open_{true};
};

}  // namespace fleetmark
