#include "coordinator/cli/report/result_table.h"

#include <cmath>
#include <optional>

#include "common/ids.h"
#include "common/run_evidence.h"
#include "common/telemetry.h"
#include "common/telemetry_view.h"
#include "common/vocabulary.h"
#include "coordinator/cli/render/number.h"
#include "coordinator/cli/report/published.h"
#include "coordinator/cli/report/table_builder.h"

namespace fleetmark {
namespace {

// Blank where it was not measured: an epoch has only some of them.
std::string NumberIf(bool has, double value) { return has ? FormatNumber(value) : ""; }

// The time of one step or call, as far as the run says it by another metric than the board's.
std::string StepText(const v1::Result& result, const std::string& primary) {
  for (const char* name : {"step_s", "wall_s"}) {
    if (name == primary) return "";
    if (const v1::Metric* metric = FindMetric(result, name)) return FormatSeconds(metric->value());
  }
  const v1::Metric* rate = FindMetric(result, "it_per_s");
  return rate != nullptr && rate->value() > 0 ? FormatSeconds(1 / rate->value()) : kNotMeasured;
}

std::string FixedOr(std::optional<double> value, int decimals) {
  return value && std::isfinite(*value) ? FormatFixed(*value, decimals) : kNotMeasured;
}

// A percentage as the worker or runner measured it, else as the agent sampled it beside the run.
std::string UseText(const v1::Result& result, const std::string& metric, const telemetry::SeriesName& series) {
  if (const v1::Metric* found = FindMetric(result, metric)) return FixedOr(found->value(), 1);
  const SeriesView view(result.telemetry(), series.name);
  return view.empty() ? kNotMeasured : FixedOr(view.Mean(), 1);
}

std::string DeviceText(const v1::RunInfo& run) {
  const std::string& model = run.result().environment().device().model();
  return run.device() + (model.empty() ? "" : " " + model);
}

void AddResultRow(const ReportSeries& series, const std::string& primary, TableBuilder* table) {
  const v1::RunInfo& run = series.run();
  const v1::Result& result = run.result();
  const v1::Metric* metric = FindMetric(result, primary);
  const bool is_flagged = IsFlagged(result.verdict().kind());
  table->AddRow(is_flagged ? kFlaggedRow : kMeasuredRow,
                {run.agent(), DeviceText(run), run.runtime(), series.profile,
                 metric == nullptr ? kNotMeasured : FormatMetric(*metric).value + (is_flagged ? "!" : ""),
                 metric == nullptr ? "" : IntervalText(*metric), std::to_string(series.runs.size()),
                 result.verdict().kind(), StepText(result, primary), "measured", std::string(ShortId(run.run_id()))});
}

void AddPublishedRows(const ReportBoard& board, const std::string& primary, TableBuilder* table) {
  for (const v1::Reference& reference : board.published) {
    if (reference.metric() != primary) continue;
    table->AddRow(kPublishedRow, {reference.system(), reference.device(), reference.runtime(), "",
                                  FormatNumber(reference.value()) + MarkOf(reference), "", "",
                                  reference.verdict().kind(), "", "published", ""});
  }
}

// What heads the column of values: their unit, or the metric where that says more ("wall_s").
std::string ValueTitle(const ReportBoard& board, const std::string& primary) {
  std::string unit;
  for (const ReportSeries& series : board.series) {
    if (const v1::Metric* metric = FindMetric(series.run().result(), primary)) unit = metric->unit();
  }
  return unit.empty() || unit == "s" ? primary : unit;
}

}  // namespace

std::string NameOf(const ReportSeries& series) {
  const v1::RunInfo& run = series.run();
  return run.agent() + " " + run.device() + " " + run.runtime() + " " + series.profile;
}

std::string IntervalText(const v1::Metric& metric) {
  const std::string interval = FormatMetric(metric).interval;
  if (!interval.empty()) return interval;
  if (!metric.has_n()) return "no interval";
  return "no interval: " + std::to_string(metric.n()) + (metric.n() == 1 ? " sample" : " samples");
}

void AddResults(const ReportBoard& board, v1::ReportSection* section) {
  const std::string primary = PrimaryMetric(board.workload);
  TableBuilder table("", {{"SYSTEM", kEssential, 8},
                          {"DEVICE", 90, 8},
                          {"RUNTIME", 85},
                          {"PROFILE", 80, 7},
                          {ValueTitle(board, primary), kEssential, 0, Align::kRight},
                          {"95 %", 88},
                          {"RUNS", 20, 0, Align::kRight},
                          {"VERDICT", 75},
                          {"STEP", 60, 0, Align::kRight},
                          {"SOURCE", 70},
                          {"RUN", 25}});
  for (const ReportSeries& series : board.series) AddResultRow(series, primary, &table);
  AddPublishedRows(board, primary, &table);
  table.AppendTo(section);
  for (const ReportSeries& series : board.series) {
    const v1::Verdict& verdict = series.run().result().verdict();
    if (!IsFlagged(verdict.kind())) continue;
    std::string why;
    if (verdict.evidence_size() > 0) why = ": " + verdict.evidence(0);
    AddParagraph("! " + NameOf(series) + " is " + verdict.kind() + why + ". Left out of the ratios.", section);
  }
}

void AddUse(const ReportBoard& board, v1::ReportSection* section) {
  TableBuilder table("Load and utilisation", {{"SYSTEM", kEssential, 8},
                                              {"DEVICE", 90},
                                              {"RUNTIME", 70},
                                              {"PROFILE", 60, 7},
                                              {"LOAD BEFORE", 75, 0, Align::kRight},
                                              {"LOAD AFTER", 80, 0, Align::kRight},
                                              {"CPU %", kEssential, 0, Align::kRight},
                                              {"GPU %", kEssential, 0, Align::kRight},
                                              {"PEAK MEMORY", 65, 0, Align::kRight}});
  for (const ReportSeries& series : board.series) {
    const v1::RunInfo& run = series.run();
    const v1::ProcessUsage& usage = run.result().usage();
    const auto load = [](bool has, double value) { return FixedOr(has ? std::optional(value) : std::nullopt, 2); };
    table.AddRow(
        IsFlagged(run.result().verdict().kind()) ? kFlaggedRow : kMeasuredRow,
        {run.agent(), run.device(), run.runtime(), series.profile, load(usage.has_load1_before(), usage.load1_before()),
         load(usage.has_load1_after(), usage.load1_after()),
         UseText(run.result(), "cpu_percent", telemetry::kWorkerCpu),
         UseText(run.result(), "gpu_util_percent", telemetry::kGpuUtil),
         usage.rss_peak_bytes() > 0 ? FormatBytes(usage.rss_peak_bytes()) : kNotMeasured});
  }
  if (board.series.empty()) return;
  table.AppendTo(section);
  AddParagraph("LOAD: the load average over a minute, before and after the run. CPU %: 100 is one CPU kept busy.",
               section);
}

void AddEpochs(const ReportBoard& board, v1::ReportSection* section) {
  TableBuilder table("Epochs of training", {{"SYSTEM", kEssential, 8},
                                            {"DEVICE", 80},
                                            {"RUNTIME", 75},
                                            {"PROFILE", 70, 7},
                                            {"EPOCH", kEssential, 0, Align::kRight},
                                            {"TIME", 95, 0, Align::kRight},
                                            {"LOSS", 90, 0, Align::kRight},
                                            {"ACCURACY", 82, 0, Align::kRight},
                                            {"VAL_LOSS", 86, 0, Align::kRight},
                                            {"VAL_ACCURACY", 94, 0, Align::kRight}});
  for (const ReportSeries& series : board.series) {
    const v1::RunInfo& run = series.run();
    for (const v1::TrainingEpoch& epoch : run.result().training_epochs()) {
      table.AddRow(IsFlagged(run.result().verdict().kind()) ? kFlaggedRow : kMeasuredRow,
                   {run.agent(), run.device(), run.runtime(), series.profile, std::to_string(epoch.epoch()),
                    FormatSeconds(epoch.epoch_s()), NumberIf(epoch.has_loss(), epoch.loss()),
                    NumberIf(epoch.has_accuracy(), epoch.accuracy()), NumberIf(epoch.has_val_loss(), epoch.val_loss()),
                    NumberIf(epoch.has_val_accuracy(), epoch.val_accuracy())});
    }
  }
  table.AppendTo(section);
}

}  // namespace fleetmark
