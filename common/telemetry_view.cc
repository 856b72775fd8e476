#include "common/telemetry_view.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/statistics.h"

namespace fleetmark {
namespace {

struct TimeSpan {
  double from_s = -std::numeric_limits<double>::infinity(), until_s = std::numeric_limits<double>::infinity();
};

TimeSpan MeasuredTime(const v1::Telemetry& telemetry) {
  TimeSpan time;
  if (telemetry.has_measured_from_s()) time.from_s = telemetry.measured_from_s();
  if (telemetry.has_measured_until_s()) time.until_s = telemetry.measured_until_s();
  return time;
}

// `from` and `until` are shares of it.
TimeSpan PartOf(const TimeSpan& time, double from, double until) {
  if (from <= 0 && until >= 1) return time;
  const double length_s = time.until_s - time.from_s;
  if (!std::isfinite(length_s)) return {.from_s = 0, .until_s = -1};  // nobody knows where
  return {.from_s = time.from_s + from * length_s, .until_s = time.from_s + until * length_s};
}

// A value is the mean since the point before: one belongs to the part in which most of that time lies.
bool IsIn(const TimeSpan& time, const v1::Telemetry& telemetry, int point) {
  const double middle = telemetry.at_s(point) - telemetry.interval_s() / 2;
  return middle >= time.from_s && middle <= time.until_s;
}

const v1::TelemetrySeries* Find(const v1::Telemetry& telemetry, std::string_view name) {
  const auto found = std::find_if(telemetry.series().begin(), telemetry.series().end(),
                                  [name](const v1::TelemetrySeries& series) { return series.name() == name; });
  return found == telemetry.series().end() ? nullptr : &*found;
}

bool IsKnown(const TimeSpan& time, const v1::Telemetry& telemetry, const v1::TelemetrySeries* series, int point) {
  return series != nullptr && point < series->values_size() && std::isfinite(series->values(point)) &&
         IsIn(time, telemetry, point);
}

}  // namespace

SeriesView::SeriesView(const v1::Telemetry& telemetry, std::string_view name, double from, double until) {
  const v1::TelemetrySeries* series = Find(telemetry, name);
  const TimeSpan time = PartOf(MeasuredTime(telemetry), from, until);
  for (int point = 0; point < telemetry.at_s_size(); ++point) {
    if (IsKnown(time, telemetry, series, point)) values_.push_back(series->values(point));
  }
}

SeriesPair::SeriesPair(const v1::Telemetry& telemetry, std::string_view first_name, std::string_view second_name) {
  const v1::TelemetrySeries *one = Find(telemetry, first_name), *other = Find(telemetry, second_name);
  const TimeSpan time = MeasuredTime(telemetry);
  for (int point = 0; point < telemetry.at_s_size(); ++point) {
    if (!IsKnown(time, telemetry, one, point) || !IsKnown(time, telemetry, other, point)) continue;
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
    const bool is_ok = sensor.state() == "ok";
    if (is_ok && sensor.why().empty()) continue;
    problems.push_back(sensor.name() + (is_ok ? "" : " " + sensor.state()) +
                       (sensor.why().empty() ? "" : ": " + sensor.why()));
  }
  return problems;
}

int CountMeasuredPoints(const v1::Telemetry& telemetry) {
  int count = 0;
  const TimeSpan time = MeasuredTime(telemetry);
  for (int point = 0; point < telemetry.at_s_size(); ++point) count += IsIn(time, telemetry, point) ? 1 : 0;
  return count;
}

double ShareSeen(const v1::Telemetry& telemetry, const SeriesView& view) {
  return static_cast<double>(view.size()) / std::max(CountMeasuredPoints(telemetry), 1);
}

}  // namespace fleetmark
