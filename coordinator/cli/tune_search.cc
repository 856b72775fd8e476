#include "coordinator/cli/tune_search.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "coordinator/cli/exit_code.h"

namespace fleetmark {
namespace {

constexpr int kStageRounds = 3;
constexpr int kFinalRounds = 5;
constexpr int kFewestFinalRounds = kFewestRounds;
constexpr size_t kMostFinalists = 3;  // stock, the workload's own, the best
constexpr int kOtherSeeds = 3;
// What is this much slower than the best is not measured again: after one round, which a neighbour may have disturbed,
// and after two.
constexpr double kHopelessAtOnce = 0.5, kHopeless = 0.8;
// How much a new round counts for the expected time of the next.
constexpr double kLearning = 0.5;

void AddOnce(std::vector<size_t>* list, size_t candidate) {
  if (std::find(list->begin(), list->end(), candidate) == list->end()) list->push_back(candidate);
}

}  // namespace

TuneSearch::TuneSearch(TuneSpace space, double run_s) : table_(std::move(space)), run_s_(run_s) {
  std::vector<size_t> contestants = {table_.baseline()};
  for (const TuneSettings& settings : table_.space().Neighbours(table_.space().tuned)) {
    AddOnce(&contestants, table_.Find(settings));
  }
  BeginStage(table_.baseline(), contestants);
}

double TuneSearch::RoundS() const { return static_cast<double>(stage_.contestants.size()) * run_s_; }

double TuneSearch::FinalS() const { return static_cast<double>(kMostFinalists) * kFewestFinalRounds * run_s_; }

double TuneSearch::LeastS() const { return RoundS() + (table_.space().has_seed ? kOtherSeeds * run_s_ : 0) + FinalS(); }

void TuneSearch::BeginStage(size_t center, const std::vector<size_t>& contestants) {
  stage_ = {.center = center, .contestants = {TuneTable::kStock}, .first_round = round_};
  for (const size_t candidate : contestants) {
    if (table_.IsIn(candidate)) AddOnce(&stage_.contestants, candidate);
  }
}

std::vector<TuneTrial> TuneSearch::RoundOfSeeds() const {
  std::vector<TuneTrial> trials;
  for (int offset = 1; offset <= kOtherSeeds; ++offset) trials.push_back({table_.space().stock, true, offset});
  return trials;
}

std::vector<TuneTrial> TuneSearch::NextRound(double left_s) {
  asked_.clear();
  if (table_.NeedsOtherSeeds()) return RoundOfSeeds();
  while (!has_ended_ && IsStageOver(left_s)) EndStage(left_s);
  if (has_ended_) return {};
  asked_ = stage_.contestants;
  // Forth and back, so that a steady drift cancels, each time from another one on.
  std::rotate(asked_.begin(), asked_.begin() + round_ / 2 % static_cast<int>(asked_.size()), asked_.end());
  if (round_ % 2 == 1) std::reverse(asked_.begin(), asked_.end());
  std::vector<TuneTrial> trials;
  for (const size_t candidate : asked_) {
    trials.push_back({table_.settings(candidate), candidate == TuneTable::kStock, 0});
  }
  return trials;
}

Status TuneSearch::Take(const std::vector<TuneMeasurement>& measurements, double took_s) {
  run_s_ += kLearning * (took_s / static_cast<double>(measurements.size()) - run_s_);
  if (asked_.empty()) {
    for (const TuneMeasurement& measurement : measurements) table_.RecordOtherSeed(measurement);
  } else {
    for (size_t i = 0; i < asked_.size(); ++i) table_.Record(asked_[i], round_, measurements[i]);
    ++round_;
    ++stage_.rounds;
  }
  if (!table_.IsIn(TuneTable::kStock)) {
    return FailedPrecondition("stock itself failed: " + table_.exclusion(TuneTable::kStock), "", kRunFailedKind);
  }
  table_.CheckLosses();
  // Not by the measure of one that may turn out to compute something else.
  if (!stage_.is_final && !table_.NeedsOtherSeeds()) DropHopeless();
  std::erase_if(stage_.contestants, [this](size_t candidate) { return !table_.IsIn(candidate); });
  return OkStatus();
}

bool TuneSearch::IsStageOver(double left_s) const {
  if (stage_.is_final) {
    return stage_.rounds >= kFinalRounds || (stage_.rounds >= kFewestFinalRounds && RoundS() > left_s);
  }
  return stage_.rounds >= kStageRounds || (stage_.rounds > 0 && RoundS() + FinalS() > left_s);
}

void TuneSearch::DropHopeless() {
  const size_t best = BestOfStage();
  const double least = stage_.rounds > 1 ? kHopeless : kHopelessAtOnce;
  std::erase_if(stage_.contestants, [&](size_t candidate) {
    return candidate != TuneTable::kStock && candidate != stage_.center &&
           table_.Ratio(candidate, best, stage_.first_round).value_or(1) < least;
  });
}

size_t TuneSearch::BestOfStage() const {
  const auto ratio = [this](size_t of) {
    return table_.IsIn(of) ? table_.Ratio(of, TuneTable::kStock, stage_.first_round).value_or(0) : 0;
  };
  double most = 0;
  for (const size_t candidate : stage_.contestants) most = std::max(most, ratio(candidate));
  // Of those that are as fast, what changes least.
  const auto rank = [&](size_t candidate) {
    const bool is_fast = ratio(candidate) * (1 + kLeastGain) >= most;
    return std::make_tuple(!is_fast, table_.ChangesOf(candidate), -ratio(candidate));
  };
  return *std::min_element(stage_.contestants.begin(), stage_.contestants.end(),
                           [&](size_t a, size_t b) { return rank(a) < rank(b); });
}

bool TuneSearch::IsBetter(size_t candidate, size_t than) const {
  if (!table_.IsIn(than)) return true;
  return table_.Ratio(candidate, than, stage_.first_round).value_or(0) > 1 + kLeastGain;
}

TuneSettings TuneSearch::Merged() const {
  TuneSettings merged = table_.settings(stage_.center);
  for (const TuneSpace::Dimension& dimension : table_.space().dimensions) {
    double most = 1 + kLeastGain;
    for (const size_t candidate : stage_.contestants) {
      TuneSettings changed = table_.settings(stage_.center);
      changed[dimension.name] = table_.settings(candidate).at(dimension.name);
      const double ratio = table_.Ratio(candidate, stage_.center, stage_.first_round).value_or(0);
      if (changed != table_.settings(candidate) || ratio <= most) continue;
      most = ratio;
      merged[dimension.name] = changed[dimension.name];
    }
  }
  return merged;
}

void TuneSearch::EndStage(double left_s) {
  if (stage_.is_final) {
    has_ended_ = true;
    return;
  }
  const size_t best = BestOfStage();
  if (best == stage_.center || !IsBetter(best, stage_.center)) return BeginFinal(stage_.center);
  const TuneSettings merged = Merged();
  const bool is_merged = !table_.Knows(merged);
  std::vector<TuneSettings> fresh;
  for (TuneSettings& settings : table_.space().Neighbours(is_merged ? merged : table_.settings(best))) {
    if (!table_.Knows(settings)) fresh.push_back(std::move(settings));
  }
  const auto fits = [&](size_t runs) { return static_cast<double>(runs) * run_s_ + FinalS() <= left_s; };
  if (!fits(kMostFinalists + 1 + fresh.size())) fresh.clear();
  if ((!is_merged && fresh.empty()) || !fits(kMostFinalists + 1)) return BeginFinal(best);
  const size_t center = is_merged ? table_.Find(merged) : best;
  std::vector<size_t> contestants = {table_.baseline(), best, center};
  for (const TuneSettings& settings : fresh) contestants.push_back(table_.Find(settings));
  BeginStage(center, contestants);
}

void TuneSearch::BeginFinal(size_t best) {
  const bool is_alone = best == TuneTable::kStock && !table_.IsIn(table_.baseline());
  BeginStage(best, {table_.baseline(), best});
  stage_.is_final = true;
  has_ended_ = best == table_.baseline() || is_alone;
}

TuneSearch::Outcome TuneSearch::Conclude() const {
  const size_t baseline = table_.baseline(), best = stage_.center;
  Outcome outcome;
  if (!table_.IsIn(baseline)) {
    outcome.is_own = true;
    outcome.kept = table_.IsIn(best) ? best : TuneTable::kStock;  // without stock the search would have failed
  } else {
    outcome.is_own = best != baseline && table_.IsIn(best) && table_.IsFaster(best, baseline, stage_.first_round);
    outcome.kept = outcome.is_own ? best : baseline;
  }
  outcome.gain = table_.Ratio(outcome.kept, baseline, outcome.is_own ? stage_.first_round : 0).value_or(1);
  outcome.stock_gain =
      table_.Ratio(outcome.kept, TuneTable::kStock, outcome.is_own ? stage_.first_round : 0).value_or(1);
  return outcome;
}

}  // namespace fleetmark
