#include "tests/fuzz/coordinator_world.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/samples.h"
#include "tests/fuzz/text_message.h"

namespace fleetmark::fuzz {

// The bytes that an agent sends as the report of an attempt, into the core and the store and back out: as text on top
// of a report that is right, or behind "raw:" as they are.
void Fuzz_report_import(std::string_view input) {
  constexpr std::string_view kRaw = "raw:";
  CoordinatorWorld world;
  for (const char* line : {"add a", "described 0", "synced 0", "synced 0", "submit job", "ordered 0",
                           "synced 0 pending_results { attempt_id: 'A0' sha256: 'hash' }"}) {
    world.Do(line);
  }
  Require(world.attempts().size() == 1, "the run was started");
  std::string bytes(input.substr(0, kRaw.size()) == kRaw ? input.substr(kRaw.size()) : "");
  if (bytes.empty()) {
    v1::AttemptReport report = SampleReport(world.attempts().front());
    MergeText(input, &report);
    bytes = report.SerializeAsString();
  }
  Require(world.AnswerFetch(bytes), "the report is fetched");
  world.CheckStored();
}

}  // namespace fleetmark::fuzz
