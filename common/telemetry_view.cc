#include "common/telemetry_view.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace fleetmark {
namespace {

// A value is the mean since the point before: one belongs to the measured part when most of that time does.
bool IsMeasured(const v1::Telemetry& telemetry, int point) {
  const double middle = telemetry.at_s(point) - telemetry.interval_s() / 2;
  return (!telemetry.has_measured_from_s() || middle >= telemetry.measured_from_s()) &&
         (!telemetry.has_measured_until_s() || middle <= telemetry.measured_until_s());
}

}  // namespace

SeriesView::SeriesView(const v1::Telemetry& telemetry, std::string_view name) {
  for (const v1::TelemetrySeries& series : telemetry.series()) {
    if (series.name() != name) continue;
    const int points = std::min(series.values_size(), telemetry.at_s_size());
    for (int point = 0; point < points; ++point) {
      if (std::isfinite(series.values(point)) && IsMeasured(telemetry, point)) values_.push_back(series.values(point));
    }
    return;
  }
}

double SeriesView::Mean() const {
  return std::accumulate(values_.begin(), values_.end(), 0.0) / static_cast<double>(values_.size());
}

double SeriesView::Min() const { return *std::min_element(values_.begin(), values_.end()); }
double SeriesView::Max() const { return *std::max_element(values_.begin(), values_.end()); }

double SeriesView::ShareFrom(double level) const {
  const auto count = std::count_if(values_.begin(), values_.end(), [level](double value) { return value >= level; });
  return static_cast<double>(count) / static_cast<double>(values_.size());
}

int CountMeasuredPoints(const v1::Telemetry& telemetry) {
  int count = 0;
  for (int point = 0; point < telemetry.at_s_size(); ++point) count += IsMeasured(telemetry, point) ? 1 : 0;
  return count;
}

}  // namespace fleetmark
