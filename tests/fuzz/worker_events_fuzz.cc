#include <algorithm>

#include "agent/event_collector.h"
#include "agent/run_log.h"
#include "agent/worker_report.h"
#include "common/run_spec.h"
#include "tests/fuzz/fuzz_target.h"

namespace fleetmark::fuzz {
namespace {

struct Collected {
  agent::EventCollector events{[this](const v1::RunEvent&) { ++published; }};
  int published = 0;
};

void Collect(std::string_view input, size_t chunk, Collected* collected) {
  bool is_well = true;
  while (!input.empty()) {
    is_well = collected->events.Feed(input.substr(0, chunk));
    Require(is_well == collected->events.breach().empty(), "Feed tells of a breach");
    input.remove_prefix(std::min(chunk, input.size()));
  }
  collected->events.Finish();
}

agent::WorkerObservation Observation(size_t size) {
  agent::WorkerObservation observation;
  observation.exit.wait_status = size % 8 == 7 ? 9 : static_cast<int>(size % 3) << 8;
  observation.wall_s = 2;
  observation.load1_after = 0.5;
  if (size % 2 == 1) observation.telemetry.emplace().set_interval_s(0.1);
  return observation;
}

}  // namespace

// What a runner writes to its pipe, and the report that becomes of it.
void Fuzz_worker_events(std::string_view input) {
  Collected whole, pieces;
  Collect(input, std::max<size_t>(input.size(), 1), &whole);
  Collect(input, 1 + input.size() % 61, &pieces);
  Require(whole.events.breach() == pieces.events.breach() && whole.published == pieces.published &&
              DeterministicBytes(whole.events.result()) == DeterministicBytes(pieces.events.result()),
          "it does not matter where the stream is cut");
  static const agent::RunLog log("/dev/null");
  const v1::AttemptReport report = agent::DraftReport(Observation(input.size()), whole.events, log);
  Require(report.outcome() == "succeeded" ? report.has_result() && !report.has_failure()
                                          : report.outcome() == "failed" && !report.failure().message().empty(),
          "a report has a result, or a failure with a reason");
  Require(whole.events.breach().empty() || report.outcome() == "failed", "a breach of the protocol is a failure");
  v1::AttemptReport read;
  Require(read.ParseFromString(report.SerializeAsString()), "a report can be read back");
}

}  // namespace fleetmark::fuzz
