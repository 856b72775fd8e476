#include <algorithm>

#include "agent/run_telemetry.h"
#include "common/proto_json.h"
#include "common/run_evidence.h"
#include "common/telemetry_view.h"
#include "common/verdict.h"
#include "common/vocabulary.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/text_message.h"

namespace fleetmark::fuzz {

// Everything that is computed of a result, as text, by whoever has it: its series may be of any length and hold
// anything.
void Fuzz_verdict(std::string_view input) {
  v1::Result result;
  MergeText(input, &result);
  *result.mutable_steadiness() = SteadinessOf(result);
  const v1::Verdict verdict = Judge(result);
  const bool is_known =
      verdict.kind() == "OK" || verdict.kind() == "UNCHECKED" ||
      std::find(kVerdictsByGravity.begin(), kVerdictsByGravity.end(), verdict.kind()) != kVerdictsByGravity.end();
  Require(is_known, "a verdict is one of the vocabulary: " + verdict.kind());
  Require(verdict.kind() == "OK" || verdict.evidence_size() > 0, "what is not OK has its evidence");
  for (const v1::Metric& metric : agent::TelemetryMetrics(result.telemetry())) {
    Require(!metric.name().empty(), "a metric has a name");
  }
  Require(CountMeasuredPoints(result.telemetry()) <= result.telemetry().at_s_size(), "points that there are");
  v1::Result with_cost = result;
  agent::TellSamplingCost(BlockSchedule(), &with_cost);
  Require(ToJson(with_cost, false) != "{}", "a result can be shown");
}

}  // namespace fleetmark::fuzz
