#include "coordinator/cli/tune_table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "common/statistics.h"

namespace fleetmark {
namespace {

// Losses of the same computation differ by the order of its sums.
constexpr double kSameLoss = 1e-3;
// Of the range of stock's losses over a few seeds, around their mean: some four standard deviations.
constexpr double kRanges = 2;
// Fewer losses with other seeds than this tell no range.
constexpr size_t kFewestOtherSeeds = 2;

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return Quantile(values, 0.5);
}

std::string Digits(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4g", value);
  return text.data();
}

}  // namespace

TuneTable::TuneTable(TuneSpace space) : space_(std::move(space)) {
  Find(space_.stock);
  baseline_ = Find(space_.tuned);
}

bool TuneTable::Knows(const TuneSettings& settings) const {
  return std::any_of(candidates_.begin(), candidates_.end(),
                     [&](const Candidate& candidate) { return candidate.settings == settings; });
}

size_t TuneTable::Find(const TuneSettings& settings) {
  for (size_t i = 0; i < candidates_.size(); ++i) {
    if (candidates_[i].settings == settings) return i;
  }
  candidates_.push_back({.name = space_.NameOf(settings), .settings = settings});
  return candidates_.size() - 1;
}

int TuneTable::ChangesOf(size_t candidate) const {
  int changes = 0;
  for (const auto& [name, value] : settings(candidate)) changes += space_.tuned.at(name) == value ? 0 : 1;
  return changes;
}

void TuneTable::Record(size_t candidate, int round, const TuneMeasurement& measurement) {
  Candidate& of = candidates_[candidate];
  if (!measurement.failure.empty()) {
    of.exclusion = measurement.failure;
    return;
  }
  of.speeds[round] = measurement.speed;
  of.values.push_back(measurement.value);
  if (of.loss.has_value()) return;
  of.loss = measurement.loss;
  if (candidate == kStock && measurement.loss) stock_losses_.push_back(*measurement.loss);
}

void TuneTable::RecordOtherSeed(const TuneMeasurement& measurement) {
  if (measurement.loss) stock_losses_.push_back(*measurement.loss);
  ran_other_seeds_ = true;
}

void TuneTable::CheckLosses() {
  needs_other_seeds_ = false;
  for (Candidate& candidate : candidates_) {
    if (candidate.exclusion.empty() && !candidate.speeds.empty()) CheckLoss(&candidate);
  }
}

void TuneTable::CheckLoss(Candidate* candidate) {
  const std::optional<double> stock = candidates_[kStock].loss;
  if (!stock || candidate->loss_check != "none") return;
  if (!candidate->loss) {
    candidate->exclusion = "it reports no loss, and stock does";
    return;
  }
  if (std::abs(*candidate->loss - *stock) <= kSameLoss * std::abs(*stock)) {
    candidate->loss_check = "same";
    return;
  }
  if (space_.has_seed && !ran_other_seeds_) {
    needs_other_seeds_ = true;
    return;
  }
  candidate->exclusion = WhyAnother(*candidate->loss, *stock);
  candidate->loss_check = candidate->exclusion.empty() ? "within stock's spread" : "differs";
}

std::string TuneTable::WhyAnother(double loss, double stock) const {
  const std::string both = "its loss is " + Digits(loss) + ", stock's " + Digits(stock);
  if (!space_.has_seed) return both + ", and without a seed nothing tells how far stock's own differ";
  if (stock_losses_.size() < 1 + kFewestOtherSeeds) {
    return both + ", and too few of stock's runs with other seeds worked to tell how far its own differ";
  }
  const Summary seeds = Summarize(stock_losses_);
  const double same = kSameLoss * std::abs(stock);
  if (std::abs(loss - seeds.mean) <= same + kRanges * (seeds.max - seeds.min)) return "";
  return both + " (" + Digits(seeds.min) + " to " + Digits(seeds.max) + " over " + std::to_string(seeds.n) +
         " seeds): it computes something else";
}

std::vector<double> TuneTable::Ratios(size_t candidate, size_t against, int first_round) const {
  std::vector<double> ratios;
  for (const auto& [round, speed] : candidates_[candidate].speeds) {
    const auto other = candidates_[against].speeds.find(round);
    if (round >= first_round && other != candidates_[against].speeds.end()) ratios.push_back(speed / other->second);
  }
  return ratios;
}

std::optional<double> TuneTable::Ratio(size_t candidate, size_t against, int first_round) const {
  const std::vector<double> ratios = Ratios(candidate, against, first_round);
  return ratios.empty() ? std::nullopt : std::optional<double>(Median(ratios));
}

bool TuneTable::IsFaster(size_t candidate, size_t against, int first_round) const {
  std::vector<double> ratios = Ratios(candidate, against, first_round);
  if (ratios.size() < kFewestRounds || Median(ratios) < 1 + kLeastGain) return false;
  for (double& ratio : ratios) ratio = std::log(ratio);
  const Summary logs = Summarize(ratios);
  return logs.mean > StudentT975(logs.n - 1) * logs.sd / std::sqrt(logs.n);
}

v1::TunedCandidate TuneTable::RowOf(size_t candidate, size_t kept) const {
  const Candidate& of = candidates_[candidate];
  v1::TunedCandidate row;
  row.set_name(of.name);
  *row.mutable_settings() = {of.settings.begin(), of.settings.end()};
  row.set_rounds(static_cast<int>(of.speeds.size()));
  if (!of.values.empty()) row.set_value(Median(of.values));
  if (const std::vector<double> ratios = Ratios(candidate, kStock, 0); !ratios.empty()) {
    row.set_ratio(Median(ratios));
    row.set_ratio_low(*std::min_element(ratios.begin(), ratios.end()));
    row.set_ratio_high(*std::max_element(ratios.begin(), ratios.end()));
  }
  if (of.loss) row.set_loss(*of.loss);
  row.set_loss_check(of.loss_check);
  row.set_why(of.exclusion);
  const double gain = Ratio(candidate, baseline_, 0).value_or(1);
  row.set_verdict(!of.exclusion.empty()    ? "excluded"
                  : candidate == kept      ? "kept"
                  : candidate == baseline_ ? "baseline"
                  : gain > 1 + kLeastGain  ? "faster"
                  : gain < 1 - kLeastGain  ? "slower"
                                           : "no gain");
  return row;
}

std::vector<v1::TunedCandidate> TuneTable::Rows(size_t kept) const {
  std::vector<v1::TunedCandidate> rows;
  for (size_t i = 0; i < candidates_.size(); ++i) {
    const bool is_tried = !candidates_[i].speeds.empty() || !IsIn(i);
    if (is_tried) rows.push_back(RowOf(i, kept));
  }
  const auto rank = [](const v1::TunedCandidate& row) {
    return std::make_pair(row.verdict() == "excluded", row.has_ratio() ? -row.ratio() : 0.0);
  };
  std::stable_sort(rows.begin(), rows.end(), [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  return rows;
}

}  // namespace fleetmark
