#include "coordinator/cli/report/telemetry_view.h"

#include <algorithm>
#include <cmath>

namespace fleetmark {

const v1::TelemetrySeries* FindSeries(const v1::Telemetry& telemetry, const telemetry::SeriesName& name) {
  for (const v1::TelemetrySeries& series : telemetry.series()) {
    if (series.name() != name.name) continue;
    const bool has_value =
        std::any_of(series.values().begin(), series.values().end(), [](float value) { return std::isfinite(value); });
    return has_value ? &series : nullptr;
  }
  return nullptr;
}

std::optional<double> MeanWhileMeasured(const v1::Telemetry& telemetry, const telemetry::SeriesName& name) {
  const v1::TelemetrySeries* series = FindSeries(telemetry, name);
  if (series == nullptr) return std::nullopt;
  double sum = 0;
  int count = 0;
  for (int i = 0; i < std::min(series->values_size(), telemetry.at_s_size()); ++i) {
    const double at_s = telemetry.at_s(i), value = series->values(i);
    if (telemetry.has_measured_from_s() && at_s < telemetry.measured_from_s()) continue;
    if (telemetry.has_measured_until_s() && at_s > telemetry.measured_until_s()) continue;
    if (!std::isfinite(value)) continue;
    sum += value;
    ++count;
  }
  return count > 0 ? std::optional<double>(sum / count) : std::nullopt;
}

std::vector<std::string> SensorProblems(const v1::Telemetry& telemetry) {
  std::vector<std::string> problems;
  for (const v1::Sensor& sensor : telemetry.sensors()) {
    if (sensor.state() == "ok") continue;
    problems.push_back(sensor.name() + " " + sensor.state() + (sensor.why().empty() ? "" : ": " + sensor.why()));
  }
  return problems;
}

}  // namespace fleetmark
