#include "coordinator/cli/render/telemetry_text.h"

#include <algorithm>
#include <set>
#include <vector>

#include "common/telemetry_view.h"
#include "coordinator/cli/render/facts.h"
#include "coordinator/cli/render/number.h"
#include "coordinator/cli/render/table.h"
#include "coordinator/cli/render/text.h"

namespace fleetmark {
namespace {

// "cpu_percent." of "cpu_percent.3", the series of one CPU; "" of others.
std::string FamilyOf(const std::string& name) {
  const size_t dot = name.rfind('.');
  const bool is_numbered = dot != std::string::npos && dot + 1 < name.size() &&
                           name.find_first_not_of("0123456789", dot + 1) == std::string::npos;
  return is_numbered ? name.substr(0, dot + 1) : "";
}

std::string Amount(double value, const std::string& unit) {
  if (unit == "B") return FormatBytes(value);
  if (unit == "B/s") return FormatBytes(value) + "/s";
  return FormatNumber(value);
}

std::vector<Cell> RowOf(const v1::Telemetry& telemetry, const v1::TelemetrySeries& series) {
  const SeriesView view(telemetry, series.name());
  if (view.empty()) return {series.name(), "unknown", "", "", "", ""};
  const std::string& unit = series.unit();
  return {series.name(),
          Amount(view.Mean(), unit),
          Amount(view.Min(), unit),
          Amount(view.Max(), unit),
          unit.starts_with("B") ? "" : unit,
          std::to_string(view.size())};
}

// All series of single CPUs that begin with `family` in one row: the lowest and the highest of their means, and of all
// their values.
std::vector<Cell> FamilyRow(const v1::Telemetry& telemetry, const std::string& family) {
  std::vector<double> means, least, most;
  std::string unit;
  for (const v1::TelemetrySeries& series : telemetry.series()) {
    if (FamilyOf(series.name()) != family) continue;
    unit = series.unit();
    const SeriesView view(telemetry, series.name());
    if (view.empty()) continue;
    means.push_back(view.Mean());
    least.push_back(view.Min());
    most.push_back(view.Max());
  }
  if (means.empty()) return {family + "*", "unknown", "", "", "", ""};
  const auto [low, high] = std::minmax_element(means.begin(), means.end());
  return {family + "*",
          Amount(*low, unit) + ".." + Amount(*high, unit),
          Amount(*std::min_element(least.begin(), least.end()), unit),
          Amount(*std::max_element(most.begin(), most.end()), unit),
          unit.starts_with("B") ? "" : unit,
          std::to_string(means.size()) + " CPUs"};
}

std::string Series(const v1::Telemetry& telemetry, const Terminal& terminal) {
  Table table({{"SERIES"},
               {"MEAN", kEssential, 0, Align::kRight},
               {"MIN", 90, 0, Align::kRight},
               {"MAX", 90, 0, Align::kRight},
               {"UNIT", 95},
               {"POINTS", 50, 0, Align::kRight}});
  std::set<std::string> families;
  for (const v1::TelemetrySeries& series : telemetry.series()) {
    const std::string family = FamilyOf(series.name());
    if (family.empty()) {
      table.AddRow(RowOf(telemetry, series));
    } else if (families.insert(family).second) {
      table.AddRow(FamilyRow(telemetry, family));
    }
  }
  return table.empty() ? "" : table.Render(terminal);
}

std::string Sampling(const v1::Telemetry& telemetry) {
  std::string text = "every " + FormatSeconds(telemetry.interval_s()) + ", " +
                     std::to_string(CountMeasuredPoints(telemetry)) + " points in the measured part";
  if (!telemetry.has_measured_from_s()) return text + ", which is all: the worker never said when it measured";
  text += ", from " + FormatSeconds(telemetry.measured_from_s());
  if (telemetry.has_measured_until_s()) text += " to " + FormatSeconds(telemetry.measured_until_s());
  return text + " on its clock";
}

std::string Cost(const v1::TelemetryCost& cost) {
  const auto percent = [](double share) { return (share > 0 ? "+" : "") + FormatShare(share, 2); };
  std::string text = "a step is " + percent(cost.share()) + " longer with sampling than without";
  if (cost.has_ci_low() && cost.has_ci_high()) {
    text += ", 95 % interval [" + percent(cost.ci_low()) + ", " + percent(cost.ci_high()) + "]";
  }
  return text + ", from " + std::to_string(cost.blocks()) + " blocks of either kind";
}

}  // namespace

std::string RenderTelemetry(const v1::Telemetry& telemetry, const Terminal& terminal) {
  Facts facts;
  facts.Add("sampled", Sampling(telemetry));
  std::string good;
  for (const v1::Sensor& sensor : telemetry.sensors()) {
    if (sensor.state() == "ok") good += (good.empty() ? "" : ", ") + sensor.name();
  }
  facts.Add("sensors", good);
  for (const v1::Sensor& sensor : telemetry.sensors()) {
    const std::string why = sensor.why().empty() ? "" : ": " + sensor.why();
    if (sensor.state() != "ok") {
      facts.Add("no " + sensor.name(), sensor.state() + why, Style::kWarning);
    } else if (!sensor.why().empty()) {
      facts.Add("but " + sensor.name(), sensor.why(), Style::kWarning);
    }
  }
  if (telemetry.has_cost()) facts.Add("cost", Cost(telemetry.cost()));
  return Series(telemetry, terminal) + facts.Render(terminal);
}

}  // namespace fleetmark
