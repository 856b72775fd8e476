#include "coordinator/leaderboard.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "common/run_spec.h"
#include "common/vocabulary.h"
#include "coordinator/newest_jobs.h"

namespace fleetmark {
namespace {

bool IsLessBetter(const v1::MetricSpec& metric) { return metric.better() == "less"; }

// Of an even number the worse of the two in the middle. Their order in `values` does not matter.
const BoardValue& Middle(std::vector<const BoardValue*>* values, bool is_less_better) {
  std::sort(values->begin(), values->end(), [is_less_better](const BoardValue* a, const BoardValue* b) {
    if (a->value == b->value) return a->run_id < b->run_id;
    return is_less_better ? a->value < b->value : a->value > b->value;
  });
  return *(*values)[values->size() / 2];
}

v1::LeaderboardRow RowOf(const BoardValue& value) {
  v1::LeaderboardRow row;
  row.set_system(value.agent);
  row.set_device(value.device_model.empty() ? value.device : value.device_model);
  row.set_device_kind(value.device_kind);
  row.set_runtime(value.runtime);
  row.set_profile(value.profile);
  row.set_overrides(value.overrides);
  row.set_value(value.value);
  if (value.ci_low) row.set_ci_low(*value.ci_low);
  if (value.ci_high) row.set_ci_high(*value.ci_high);
  if (value.n) row.set_n(*value.n);
  row.set_verdict(value.verdict);
  row.set_verdict_cause(value.verdict_cause);
  row.set_verdict_reason(value.verdict_reason);
  row.set_source("measured");
  row.set_run_id(value.run_id);
  row.set_measured_unix_s(value.finished_unix_s);
  return row;
}

void AddMeasured(const LeaderboardInput& input, v1::Leaderboard* board) {
  NewestJobs<const BoardValue*> newest;
  for (const BoardValue& value : input.values) AddTo(&newest, &value);
  for (auto& [series, values] : newest) {
    *board->add_rows() = RowOf(Middle(&values, IsLessBetter(input.metric)));
  }
}

v1::LeaderboardRow RowOf(const Reference& reference) {
  v1::LeaderboardRow row;
  row.set_system(reference.system);
  row.set_device(reference.device);
  row.set_device_kind(reference.device_kind);
  row.set_runtime(reference.runtime);
  row.set_source("published");
  row.set_note(reference.note);
  row.set_published_in(reference.source);
  return row;
}

std::string TextOf(const Reference& reference) {
  std::string number = std::to_string(reference.value);
  number.erase(number.find_last_not_of('0') + 1);
  if (number.back() == '.') number.pop_back();
  return reference.metric + " " + number + " " + reference.unit;
}

void AddPublished(const LeaderboardInput& input, v1::Leaderboard* board) {
  using Key = std::tuple<std::string, std::string, std::string>;
  std::set<Key> with_value;
  std::map<Key, v1::LeaderboardRow> without_value;
  for (const Reference& reference : input.references) {
    if (reference.workload != input.workload.name()) continue;
    const Key key{reference.system, reference.device, reference.runtime};
    if (reference.metric == input.metric.name()) {
      v1::LeaderboardRow row = RowOf(reference);
      row.set_value(reference.value);
      row.set_derived(reference.is_derived);
      row.set_verdict(reference.verdict.kind());
      row.set_verdict_cause(reference.verdict.cause());
      if (!reference.verdict.evidence().empty()) row.set_verdict_reason(reference.verdict.evidence(0));
      *board->add_rows() = std::move(row);
      with_value.insert(key);
    } else if (const auto [row, is_new] = without_value.try_emplace(key, RowOf(reference)); is_new) {
      const std::string detail = reference.note.empty() ? "" : "; " + reference.note;
      row->second.set_note("published as " + TextOf(reference) + detail);
    }
  }
  for (const auto& [key, row] : without_value) {
    if (with_value.count(key) == 0) *board->add_rows() = row;
  }
}

double LowOf(const v1::LeaderboardRow& row) { return row.has_ci_low() ? row.ci_low() : row.value(); }
double HighOf(const v1::LeaderboardRow& row) { return row.has_ci_high() ? row.ci_high() : row.value(); }

void Rank(bool is_less_better, bool include_flagged, v1::Leaderboard* board) {
  // A result whose evidence speaks against it stays visible and takes no rank.
  const auto is_ranked = [include_flagged](const v1::LeaderboardRow& row) {
    return row.has_value() && (include_flagged || !IsFlagged(row.verdict()));
  };
  auto* rows = board->mutable_rows();
  std::stable_sort(rows->pointer_begin(), rows->pointer_end(), [&](const auto* a, const auto* b) {
    if (is_ranked(*a) != is_ranked(*b)) return is_ranked(*a);
    if (a->has_value() != b->has_value()) return a->has_value();
    return is_less_better ? a->value() < b->value() : a->value() > b->value();
  });
  const v1::LeaderboardRow* first = nullptr;
  for (int i = 0; i < rows->size(); ++i) {
    v1::LeaderboardRow& row = (*rows)[i];
    if (!is_ranked(row)) break;
    const bool is_tied = first != nullptr && LowOf(row) <= HighOf(*first) && LowOf(*first) <= HighOf(row);
    row.set_rank(is_tied ? first->rank() : i + 1);
    if (!is_tied) first = &row;
  }
}

}  // namespace

v1::Leaderboard BuildLeaderboard(const LeaderboardInput& input) {
  v1::Leaderboard board;
  board.set_workload(input.workload.name());
  board.set_workload_version(input.workload.version());
  board.set_metric(input.metric.name());
  board.set_unit(input.metric.unit());
  board.set_better(input.metric.better());
  const auto parameters = BoardParameters(input.workload, input.parameters);
  board.mutable_parameters()->insert(parameters.begin(), parameters.end());
  AddMeasured(input, &board);
  const std::string key = BoardKey(input.workload, input.parameters);
  if (key == BoardKey(input.workload, {})) AddPublished(input, &board);
  Rank(IsLessBetter(input.metric), input.include_flagged, &board);
  for (const std::string& other : input.boards) {
    if (other != key) board.add_other_boards(other);
  }
  return board;
}

v1::History BuildHistory(const v1::WorkloadSpec& workload, const v1::MetricSpec& metric,
                         const std::map<std::string, std::string>& parameters, const std::vector<BoardValue>& values) {
  v1::History history;
  history.set_workload(workload.name());
  history.set_metric(metric.name());
  history.set_unit(metric.unit());
  history.set_better(metric.better());
  const auto board = BoardParameters(workload, parameters);
  history.mutable_parameters()->insert(board.begin(), board.end());
  std::map<Series, double> before;
  for (const BoardValue& value : values) {
    v1::HistoryPoint* point = history.add_points();
    point->set_run_id(value.run_id);
    point->set_agent(value.agent);
    point->set_device(value.device);
    point->set_runtime(value.runtime);
    point->set_runtime_version(value.runtime_version);
    point->set_profile(value.profile);
    point->set_overrides(value.overrides);
    point->set_finished_unix_s(value.finished_unix_s);
    point->set_value(value.value);
    if (value.ci_low) point->set_ci_low(*value.ci_low);
    if (value.ci_high) point->set_ci_high(*value.ci_high);
    point->set_verdict(value.verdict);
    point->set_verdict_cause(value.verdict_cause);
    const auto [previous, is_first] = before.try_emplace(SeriesOf(value), value.value);
    if (!is_first && previous->second != 0) point->set_change(value.value / previous->second - 1);
    previous->second = value.value;
  }
  return history;
}

}  // namespace fleetmark
