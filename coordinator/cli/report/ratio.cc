#include "coordinator/cli/report/ratio.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "coordinator/cli/render/number.h"

namespace fleetmark {
namespace {

bool IsComparable(double value) { return std::isfinite(value) && value > 0; }

// How far the ends of an interval are from its value, on the log scale.
struct LogDistances {
  double below, above;
};

std::optional<LogDistances> DistancesOf(const Estimate& estimate) {
  if (!estimate.ci_low || !estimate.ci_high) return std::nullopt;
  if (!IsComparable(*estimate.ci_low) || !IsComparable(*estimate.ci_high)) return std::nullopt;
  const double below = std::log(estimate.value / *estimate.ci_low),
               above = std::log(*estimate.ci_high / estimate.value);
  // The ends of an interval of no width are the value but for rounding, and may lie on one side of it.
  constexpr double kRounding = 1e-9;
  if (below < -kRounding || above < -kRounding) return std::nullopt;
  return LogDistances{std::max(below, 0.0), std::max(above, 0.0)};
}

}  // namespace

std::optional<SpeedRatio> CompareSpeed(const Estimate& one, const Estimate& other, bool is_less_better) {
  if (!IsComparable(one.value) || !IsComparable(other.value)) return std::nullopt;
  const Estimate& above = is_less_better ? other : one;
  const Estimate& below = is_less_better ? one : other;
  SpeedRatio ratio;
  ratio.times = above.value / below.value;
  const std::optional<LogDistances> of_above = DistancesOf(above), of_below = DistancesOf(below);
  if (of_above && of_below) {
    ratio.ci_low = ratio.times * std::exp(-std::hypot(of_above->below, of_below->above));
    ratio.ci_high = ratio.times * std::exp(std::hypot(of_above->above, of_below->below));
  }
  return ratio;
}

double TimeSaved(double times) { return 1 - 1 / times; }

std::string FormatTimeSaved(double times) {
  // 20 % is not to become 19.99 % because of the last bit.
  return FormatFixed(std::floor(TimeSaved(times) * 1e4 + 1e-6) / 1e2, 2) + " %";
}

std::string FormatTimes(double times) { return FormatNumber(times) + "x"; }

std::optional<bool> AgreesWithClaim(const std::string& claim, double times) {
  double said = 0;
  const auto [end, error] = std::from_chars(claim.data(), claim.data() + claim.size(), said);
  const std::string unit(static_cast<const char*>(end), claim.data() + claim.size());
  if (error != std::errc() || (unit != "x" && unit != " %")) return std::nullopt;
  const size_t point = claim.find('.'), digits = claim.size() - unit.size();
  const auto decimals = point == std::string::npos ? 0 : static_cast<double>(digits - point - 1);
  const double computed = unit == "x" ? times : TimeSaved(times) * 100;
  return std::fabs(computed - said) <= std::pow(10, -decimals);
}

}  // namespace fleetmark
