#include "coordinator/cli/report/board.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "common/run_evidence.h"
#include "common/run_spec.h"
#include "common/suggest.h"
#include "common/vocabulary.h"
#include "coordinator/targets.h"

namespace fleetmark {
namespace {

using Parameters = std::map<std::string, std::string>;

Parameters ParametersOf(const v1::RunInfo& run) { return {run.parameters().begin(), run.parameters().end()}; }

// How good a run is by the metric that the board ranks by: more is better, and less than any other without a value.
double MeritOf(const v1::RunInfo& run, const std::string& metric, bool is_less_better) {
  const v1::Metric* found = FindMetric(run.result(), metric);
  if (found == nullptr || !std::isfinite(found->value())) return -std::numeric_limits<double>::infinity();
  return is_less_better ? -found->value() : found->value();
}

// The run in the middle, of an even number the worse of the two there: the rule of coordinator/leaderboard.h.
size_t MiddleOf(const std::vector<v1::RunInfo>& runs, const std::string& metric, bool is_less_better) {
  std::vector<size_t> order(runs.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return MeritOf(runs[a], metric, is_less_better) > MeritOf(runs[b], metric, is_less_better);
  });
  return order[order.size() / 2];
}

void FinishSeries(const v1::WorkloadSpec& workload, std::vector<ReportSeries>* series) {
  const std::string metric = PrimaryMetric(workload);
  const bool is_less_better = IsLessBetter(workload, metric);
  for (ReportSeries& one : *series) {
    std::stable_sort(one.runs.begin(), one.runs.end(),
                     [](const auto& a, const auto& b) { return a.repetition() < b.repetition(); });
    one.shown = MiddleOf(one.runs, metric, is_less_better);
  }
  std::stable_sort(series->begin(), series->end(), [&](const ReportSeries& a, const ReportSeries& b) {
    const bool a_is_flagged = IsFlagged(a.run().result().verdict().kind());
    if (a_is_flagged != IsFlagged(b.run().result().verdict().kind())) return !a_is_flagged;
    return MeritOf(a.run(), metric, is_less_better) > MeritOf(b.run(), metric, is_less_better);
  });
}

}  // namespace

StatusOr<ReportCollector> ReportCollector::Make(ReportChoice choice, const v1::ListWorkloadsResponse& offers,
                                                const v1::ListReferencesResponse& references) {
  ReportCollector collector;
  collector.choice_ = std::move(choice);
  std::set<std::string> known;
  for (const v1::WorkloadOffer& offer : offers.workloads()) known.insert(offer.spec().name());
  for (const v1::Reference& reference : references.references()) known.insert(reference.workload());
  collector.offers_ = {offers.workloads().begin(), offers.workloads().end()};
  collector.references_ = {references.references().begin(), references.references().end()};
  for (const std::string& workload : collector.choice_.workloads) {
    if (known.contains(workload)) continue;
    return NotFound("there is no workload " + workload, SuggestFrom(workload, {known.begin(), known.end()}),
                    "unknown_workload");
  }
  FLEETMARK_RETURN_IF_ERROR(collector.CheckParameters());
  return collector;
}

// Every workload that was named must have them; where none was, one.
Status ReportCollector::CheckParameters() const {
  if (choice_.parameters.empty()) return OkStatus();
  Status first;
  bool is_known = false;
  for (const v1::WorkloadOffer& offer : offers_) {
    if (!IsChosen(offer.spec().name())) continue;
    const Status status = CheckBoardParameters(offer.spec(), choice_.parameters).status();
    if (!status.ok() && !choice_.workloads.empty()) return status;
    if (status.ok()) is_known = true;
    if (first.ok()) first = status;
  }
  return is_known ? OkStatus() : first;
}

bool ReportCollector::IsChosen(const std::string& workload) const {
  const std::vector<std::string>& chosen = choice_.workloads;
  return chosen.empty() || std::find(chosen.begin(), chosen.end(), workload) != chosen.end();
}

bool ReportCollector::HasChosenParameters(const Parameters& board_parameters) const {
  return std::all_of(choice_.parameters.begin(), choice_.parameters.end(), [&](const auto& chosen) {
    const auto found = board_parameters.find(chosen.first);
    return found != board_parameters.end() && found->second == chosen.second;
  });
}

v1::WorkloadSpec ReportCollector::SpecOf(const std::string& workload, int version) const {
  const auto merit = [version](const v1::WorkloadOffer& offer) {
    return std::tuple(offer.spec().version() == version, offer.spec().version(), offer.runtime() == kOwnRuntime);
  };
  const v1::WorkloadOffer* best = nullptr;
  for (const v1::WorkloadOffer& offer : offers_) {
    if (offer.spec().name() == workload && (best == nullptr || merit(offer) > merit(*best))) best = &offer;
  }
  v1::WorkloadSpec spec = best == nullptr ? v1::WorkloadSpec() : best->spec();
  spec.set_name(workload);
  if (version > 0) spec.set_version(version);
  return spec;
}

void ReportCollector::Take(const v1::RunInfo& run) {
  if (run.state() != "succeeded" || !run.has_result() || run.unranked() || !IsChosen(run.workload())) return;
  if (!choice_.agents.empty() && !choice_.agents.contains(run.agent())) return;
  const v1::WorkloadSpec spec = SpecOf(run.workload(), run.workload_version());
  const Parameters parameters = ParametersOf(run);
  if (!HasChosenParameters(BoardParameters(spec, parameters))) return;
  Board& board = boards_[{run.workload(), {run.workload_version(), BoardKey(spec, parameters)}}];
  board.workload = spec;
  const std::string overrides = OverridesKey(spec, run.profile(), parameters);
  ReportSeries& series = board.series[{run.agent(), run.device(), run.runtime(), run.profile(), overrides}];
  series.profile = run.profile() + (overrides.empty() ? "" : " " + overrides);
  if (!series.runs.empty() && series.runs.back().job_id() != run.job_id()) series.runs.clear();
  series.runs.push_back(run);
}

// Published rows make a board of their own where nobody has measured that one; with no workload named, only beside
// other boards of their workload.
void ReportCollector::AddPublishedBoards() {
  std::set<std::string> measured;
  for (const auto& [id, board] : boards_) measured.insert(board.workload.name());
  for (const v1::Reference& reference : references_) {
    if (choice_.workloads.empty() ? !measured.contains(reference.workload()) : !IsChosen(reference.workload()))
      continue;
    const v1::WorkloadSpec spec = SpecOf(reference.workload(), 0);
    if (!HasChosenParameters(BoardParameters(spec, {}))) continue;
    boards_[{spec.name(), {spec.version(), BoardKey(spec, {})}}].workload = spec;
  }
}

std::vector<ReportBoard> ReportCollector::TakeBoards() {
  AddPublishedBoards();
  std::vector<ReportBoard> boards;
  for (auto& [id, board] : boards_) {
    ReportBoard& taken = boards.emplace_back();
    taken.workload = std::move(board.workload);
    taken.key = id.second.second;
    for (auto& [key, series] : board.series) taken.series.push_back(std::move(series));
    FinishSeries(taken.workload, &taken.series);
    if (taken.key != BoardKey(taken.workload, {})) continue;
    for (const v1::Reference& reference : references_) {
      if (reference.workload() == taken.workload.name()) taken.published.push_back(reference);
    }
  }
  boards_.clear();
  return boards;
}

std::string PrimaryMetric(const v1::WorkloadSpec& workload) {
  return workload.metrics().empty() ? "" : workload.metrics(0).name();
}

bool IsLessBetter(const v1::WorkloadSpec& workload, const std::string& metric) {
  for (const v1::MetricSpec& known : workload.metrics()) {
    if (known.name() == metric) return known.better() == "less";
  }
  return !metric.ends_with("_per_s");
}

Estimate EstimateOf(const v1::Metric& metric) {
  Estimate estimate;
  estimate.value = metric.value();
  if (metric.has_ci_low()) estimate.ci_low = metric.ci_low();
  if (metric.has_ci_high()) estimate.ci_high = metric.ci_high();
  return estimate;
}

}  // namespace fleetmark
