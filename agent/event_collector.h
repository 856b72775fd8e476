#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "fleetmark/v1/agent.pb.h"
#include "fleetmark/v1/run.pb.h"

namespace fleetmark::agent {

// Reads what a runner writes: JSON Lines of WorkerEvent, cut anywhere. Keeps what the result is made of and hands on
// what people watch. After a breach of the protocol it takes nothing more. Not thread-safe.
class EventCollector {
 public:
  // All bytes of one run together; far above what a run of a day sends.
  static constexpr size_t kTotalLimit = size_t{64} << 20;

  // `publish` gets each phase, progress and training epoch (with no seq yet).
  explicit EventCollector(std::function<void(v1::RunEvent)> publish) : publish_(std::move(publish)) {}

  // Returns false once the protocol is breached.
  bool Feed(std::string_view bytes);
  // At the end of the stream: what follows the last newline is a line too.
  void Finish();

  // "" while all is well; else one sentence that names the line.
  const std::string& breach() const { return breach_; }
  bool has_events() const { return line_number_ > 0; }
  // Where the runner is, as its events so far tell: before its first phase "measure", in its measured part (with what
  // lies between its epochs), or behind that: after phase "finish", or its result where it has no such phase.
  enum class Part { kBefore, kMeasured, kBehind };
  Part part() const { return part_; }
  const std::optional<v1::Failure>& error() const { return error_; }
  // Metrics, epochs, samples, ceilings, summary and environment as they came; `has_summary` once the result event was
  // there.
  const v1::Result& result() const { return result_; }

 private:
  void TakeLine(std::string_view line);
  void FollowPart(const v1::WorkerEvent& event);
  void Take(v1::WorkerEvent* event);
  void TakeMetric(v1::Metric metric);
  void TakeSamples(v1::Samples samples);
  void TakeCeiling(v1::Ceiling ceiling);
  void Breach(const std::string& what);

  std::function<void(v1::RunEvent)> publish_;
  std::string partial_;
  size_t total_bytes_ = 0;
  int line_number_ = 0;
  std::string breach_;
  Part part_ = Part::kBefore;
  std::optional<v1::Failure> error_;
  v1::Result result_;
};

}  // namespace fleetmark::agent
