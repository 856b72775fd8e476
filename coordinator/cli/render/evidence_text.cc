#include "coordinator/cli/render/evidence_text.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "common/ceiling_metric.h"
#include "common/run_evidence.h"
#include "common/statistics.h"
#include "common/time_text.h"
#include "common/vocabulary.h"
#include "coordinator/cli/render/facts.h"
#include "coordinator/cli/render/number.h"
#include "coordinator/cli/render/run_table.h"
#include "coordinator/cli/render/table.h"
#include "coordinator/cli/render/telemetry_text.h"
#include "coordinator/cli/render/text.h"

namespace fleetmark {
namespace {

constexpr char kTooFew[] = "too few samples to tell";

std::string VerdictText(const v1::Verdict& verdict, const Terminal& terminal) {
  if (verdict.kind().empty()) return "";
  std::string text =
      Paint(FormatVerdict(verdict.kind(), verdict.cause()), StyleOfState(verdict.kind()), terminal) + "\n";
  for (const std::string& evidence : verdict.evidence()) {
    text += Wrap("- " + Printable(evidence), terminal.width, 2) + "\n";
  }
  return text;
}

// `unknown` stands for what is not known.
void AddSpeeds(const v1::Steadiness& steadiness, const std::string& unknown, Facts* facts) {
  const bool has_burst = steadiness.has_burst_it_per_s();
  facts->Add("burst",
             has_burst ? FormatNumber(steadiness.burst_it_per_s()) + " it/s, the best contiguous tenth" : unknown);
  std::string sustained = unknown;
  if (steadiness.has_sustained_it_per_s()) {
    sustained = FormatNumber(steadiness.sustained_it_per_s()) + " it/s";
    if (has_burst)
      sustained += ", " + FormatShare(steadiness.sustained_it_per_s() / steadiness.burst_it_per_s()) + " of burst";
  }
  facts->Add("sustained", sustained);
  facts->Add("drift", steadiness.has_drift() ? FormatChange(steadiness.drift()) + " a step from the first to the last"
                                             : unknown);
  for (const v1::ChangePoint& change : steadiness.change_points()) {
    facts->Add("change", "at " + FormatSeconds(change.at_s()) + ", sample " + std::to_string(change.sample()) + ": " +
                             FormatSeconds(change.before_s()) + " a step before, " + FormatSeconds(change.after_s()) +
                             " after");
  }
  if (steadiness.change_points().empty())
    facts->Add("change", has_burst ? "none found (looked for in 50 samples and more)" : unknown);
}

std::string SteadinessText(const v1::Result& result, const Terminal& terminal) {
  const v1::WorkerResult& summary = result.summary();
  Facts facts;
  if (result.has_steadiness()) {
    const std::string bad = BadStepTimes(result);
    const std::string unknown = "unknown: " + (bad.empty() ? kTooFew : bad);
    AddSpeeds(result.steadiness(), unknown, &facts);
    facts.Add("steady", !summary.has_is_steady() ? unknown
                        : summary.is_steady()    ? "yes"
                                                 : "no: step times did not settle within the first half of the run");
  } else {
    facts.Add("speed", "unknown: this result came without it");
  }
  facts.Add("warm-up", std::to_string(summary.warmup_steps()) + " steps left out, " +
                           std::to_string(summary.warmup_found()) + " of them found by MSER-5");
  if (summary.steps_per_sample() > 1) {
    facts.Add("samples", "each the mean of up to " + std::to_string(summary.steps_per_sample()) + " steps");
  }
  facts.Add("stopped by", summary.stop_reason());
  return facts.Render(terminal);
}

std::string CeilingsText(const v1::Result& result, const Terminal& terminal) {
  Table table({{"RESOURCE"},
               {"DTYPE", 80},
               {"CEILING", kEssential, 0, Align::kRight},
               {"THIS RUN", kEssential, 0, Align::kRight},
               {"SHARE", 95, 0, Align::kRight},
               {"MEASURED", 60}});
  for (const v1::Ceiling& ceiling : result.ceilings()) {
    const std::optional<CeilingMetric> bounded = MetricOfCeiling(ceiling.resource());
    std::string rate = FormatNumber(ceiling.rate()), reached, share;
    if (bounded) rate = FormatNumber(ceiling.rate() / bounded->scale) + " " + bounded->unit;
    for (const v1::Metric& metric : result.metrics()) {
      if (!bounded || metric.name() != bounded->name) continue;
      reached = FormatNumber(metric.value()) + " " + bounded->unit;
      share = ceiling.rate() > 0 ? FormatShare(metric.value() * bounded->scale / ceiling.rate()) : "unknown";
    }
    table.AddRow({ceiling.resource(), ceiling.dtype(), rate, reached, share, FormatTime(ceiling.measured_unix_s())});
  }
  return table.empty() ? "" : table.Render(terminal);
}

std::string TelemetryText(const v1::RunInfo& run, const Terminal& terminal) {
  if (run.result().has_telemetry()) return RenderTelemetry(run.result().telemetry(), terminal);
  const bool is_off = run.telemetry() == kTelemetryOff;
  return std::string("no telemetry: ") + (is_off ? "it was switched off" : "the agent sent none") + "\n";
}

}  // namespace

std::string BadStepTimes(const v1::Result& result) {
  const std::vector<double> step_s = StepTimes(result);
  if (std::all_of(step_s.begin(), step_s.end(), IsStepTime)) return "";
  return "a step time is zero, negative or not finite";
}

std::string RenderEvidence(const v1::RunInfo& run, const Terminal& terminal) {
  const v1::Result& result = run.result();
  return Section("Verdict", VerdictText(result.verdict(), terminal), terminal) +
         Section("Steadiness", SteadinessText(result, terminal), terminal) +
         Section("Ceilings", CeilingsText(result, terminal), terminal) +
         Section("Telemetry", TelemetryText(run, terminal), terminal);
}

}  // namespace fleetmark
