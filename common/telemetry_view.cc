#include "common/telemetry_view.h"

#include <algorithm>
#include <cmath>

#include "common/statistics.h"

namespace fleetmark {
namespace {

// A value is the mean since the point before: one belongs to the measured part when most of that time does.
bool IsMeasured(const v1::Telemetry& telemetry, int point) {
  const double middle = telemetry.at_s(point) - telemetry.interval_s() / 2;
  return (!telemetry.has_measured_from_s() || middle >= telemetry.measured_from_s()) &&
         (!telemetry.has_measured_until_s() || middle <= telemetry.measured_until_s());
}

const v1::TelemetrySeries* Find(const v1::Telemetry& telemetry, std::string_view name) {
  const auto found = std::find_if(telemetry.series().begin(), telemetry.series().end(),
                                  [name](const v1::TelemetrySeries& series) { return series.name() == name; });
  return found == telemetry.series().end() ? nullptr : &*found;
}

bool IsKnown(const v1::Telemetry& telemetry, const v1::TelemetrySeries* series, int point) {
  return series != nullptr && point < series->values_size() && std::isfinite(series->values(point)) &&
         IsMeasured(telemetry, point);
}

}  // namespace

SeriesView::SeriesView(const v1::Telemetry& telemetry, std::string_view name) {
  const v1::TelemetrySeries* series = Find(telemetry, name);
  for (int point = 0; point < telemetry.at_s_size(); ++point) {
    if (IsKnown(telemetry, series, point)) values_.push_back(series->values(point));
  }
}

SeriesPair::SeriesPair(const v1::Telemetry& telemetry, std::string_view first_name, std::string_view second_name) {
  const v1::TelemetrySeries *one = Find(telemetry, first_name), *other = Find(telemetry, second_name);
  for (int point = 0; point < telemetry.at_s_size(); ++point) {
    if (!IsKnown(telemetry, one, point) || !IsKnown(telemetry, other, point)) continue;
    first.push_back(one->values(point));
    second.push_back(other->values(point));
  }
}

double SeriesView::Mean() const { return fleetmark::Mean(values_); }

double SeriesView::Min() const { return *std::min_element(values_.begin(), values_.end()); }
double SeriesView::Max() const { return *std::max_element(values_.begin(), values_.end()); }

double SeriesView::ShareFrom(double level) const {
  const auto count = std::count_if(values_.begin(), values_.end(), [level](double value) { return value >= level; });
  return static_cast<double>(count) / static_cast<double>(values_.size());
}

std::vector<std::string> SensorProblems(const v1::Telemetry& telemetry) {
  std::vector<std::string> problems;
  for (const v1::Sensor& sensor : telemetry.sensors()) {
    if (sensor.state() == "ok") continue;
    problems.push_back(sensor.name() + " " + sensor.state() + (sensor.why().empty() ? "" : ": " + sensor.why()));
  }
  return problems;
}

int CountMeasuredPoints(const v1::Telemetry& telemetry) {
  int count = 0;
  for (int point = 0; point < telemetry.at_s_size(); ++point) count += IsMeasured(telemetry, point) ? 1 : 0;
  return count;
}

}  // namespace fleetmark
