#include "coordinator/cli/render/number.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace fleetmark {

std::string FormatFixed(double value, int decimals) {
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.*f", decimals, value);
  return buffer.data();
}

namespace {

constexpr int kSignificant = 4;

// The power of ten of the first digit: 0 for 1 to 9.99.
int Magnitude(double value) { return static_cast<int>(std::floor(std::log10(std::fabs(value)))); }

bool IsPlain(double value) { return value == 0 || (std::fabs(value) >= 1e-6 && std::fabs(value) < 1e15); }

std::string Scientific(double value) {
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.*g", kSignificant, value);
  return buffer.data();
}

// Of values that were all the same: the interval is there, and what its ends differ from `value` by is rounding.
bool HasNoWidth(double value, double ci_low, double ci_high) {
  constexpr double kRounding = 1e-9;
  return std::max(std::fabs(value - ci_low), std::fabs(ci_high - value)) <= kRounding * std::fabs(value);
}

}  // namespace

std::string FormatNumber(double value) {
  if (!std::isfinite(value)) return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
  if (value == 0) return "0";
  if (!IsPlain(value)) return Scientific(value);
  if (value == std::round(value)) return FormatFixed(value, 0);
  return FormatFixed(value, std::max(0, kSignificant - 1 - Magnitude(value)));
}

ValueText FormatValue(double value, std::optional<double> ci_low, std::optional<double> ci_high) {
  const bool has_interval = ci_low && ci_high && std::isfinite(*ci_low) && std::isfinite(*ci_high);
  if (!has_interval || !std::isfinite(value)) return {FormatNumber(value), ""};
  if (HasNoWidth(value, *ci_low, *ci_high)) return {FormatNumber(value), "± 0"};
  if (*ci_high <= *ci_low || !IsPlain(value)) return {FormatNumber(value), ""};
  const double half = (*ci_high - *ci_low) / 2;
  const int decimals = std::clamp(1 - Magnitude(half), 0, 9);
  const double below = value - *ci_low, above = *ci_high - value;
  const bool is_symmetric = below > 0 && above > 0 && std::fabs(above - below) <= 0.2 * half;
  const std::string text = FormatFixed(value, decimals);
  if (is_symmetric) return {text, "± " + FormatFixed(half, decimals)};
  return {text, "[" + FormatFixed(*ci_low, decimals) + ", " + FormatFixed(*ci_high, decimals) + "]"};
}

std::string FormatBytes(double bytes) {
  constexpr std::array<const char*, 6> kUnits = {"B", "kB", "MB", "GB", "TB", "PB"};
  size_t unit = 0;
  for (; std::fabs(bytes) >= 999.5 && unit + 1 < kUnits.size(); ++unit) bytes /= 1000;
  const int decimals = unit == 0 || std::fabs(bytes) >= 99.95 ? 0 : std::fabs(bytes) >= 9.995 ? 1 : 2;
  return FormatFixed(bytes, decimals) + " " + kUnits[unit];
}

std::string FormatSeconds(double seconds) {
  const double size = std::fabs(seconds);
  if (size == 0 || size >= 1 || !std::isfinite(seconds)) return FormatNumber(seconds) + " s";
  if (size >= 1e-3) return FormatNumber(seconds * 1e3) + " ms";
  return FormatNumber(seconds * 1e6) + " µs";
}

ValueText FormatMetric(const v1::Metric& metric) {
  const auto optional = [](bool has, double value) { return has ? std::optional<double>(value) : std::nullopt; };
  return FormatValue(metric.value(), optional(metric.has_ci_low(), metric.ci_low()),
                     optional(metric.has_ci_high(), metric.ci_high()));
}

std::string FormatPrimary(const v1::Result& result) {
  for (const v1::Metric& metric : result.metrics()) {
    if (metric.name() != result.primary_metric()) continue;
    return FormatMetric(metric).Joined() + (metric.unit().empty() ? "" : " " + metric.unit());
  }
  return "";
}

std::string FormatShare(double share, int decimals) { return FormatFixed(share * 100, decimals) + " %"; }

std::string FormatChange(double share) { return (share > 0 ? "+" : "") + FormatShare(share); }

}  // namespace fleetmark
