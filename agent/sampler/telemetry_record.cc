#include "agent/sampler/telemetry_record.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace fleetmark {
namespace {

struct Bounds {
  const char* unit;
  double least;
  double most;
};
constexpr double kLimitless = std::numeric_limits<double>::infinity();
constexpr Bounds kBounds[] = {{"°C", -50, 150}, {"W", 0, 10'000}, {"MHz", 0, 20'000}};
// Ticks are coarse: a busy CPU may seem to have done a few more in an interval than fit into it.
constexpr double kMostPercentOfCpu = 150;

Bounds BoundsOf(const std::string& unit, int cpus) {
  if (unit == "%") return {"%", 0, kMostPercentOfCpu * cpus};
  for (const Bounds& bounds : kBounds) {
    if (unit == bounds.unit) return bounds;
  }
  return {"", 0, kLimitless};
}

}  // namespace

std::optional<std::string> Nonsense(const Reading& reading, int cpus) {
  const Bounds bounds = BoundsOf(reading.unit, cpus);
  if (std::isfinite(reading.value) && reading.value >= bounds.least && reading.value <= bounds.most)
    return std::nullopt;
  return "it said " + reading.name + " = " + std::to_string(reading.value) + " " + reading.unit +
         ", which cannot be and is left out";
}

void TelemetryRecord::Add(double at_s, const Reading& reading) {
  // The reading at k intervals is of the time since k - 1: the first point is that at one interval. What is read right
  // at the start belongs to it too.
  const auto number = std::max<long>(std::lround(at_s / interval_s_), 1);
  auto& [unit, points] = series_[reading.name];
  unit = reading.unit;
  while ((number - 1) / intervals_per_point_ >= MostPoints()) Halve();
  const auto index = static_cast<size_t>((number - 1) / intervals_per_point_);
  if (points.size() <= index) points.resize(index + 1);
  points[index].sum += reading.value;
  points[index].count += 1;
}

int TelemetryRecord::MostPoints() const {
  return std::clamp(kMostValues / static_cast<int>(series_.size()), kFewestPoints, kMostPoints);
}

void TelemetryRecord::Halve() {
  intervals_per_point_ *= 2;
  for (auto& [name, series] : series_) {
    std::vector<Point>& points = series.points;
    for (size_t i = 0; i < points.size(); ++i) {
      const Point point = points[i];
      if (i % 2 == 0) {
        points[i / 2] = point;
      } else {
        points[i / 2].sum += point.sum;
        points[i / 2].count += point.count;
      }
    }
    points.resize((points.size() + 1) / 2);
  }
}

v1::Telemetry TelemetryRecord::Build() const {
  v1::Telemetry telemetry;
  const double interval_s = interval_s_ * intervals_per_point_;
  telemetry.set_interval_s(interval_s);
  size_t count = 0;
  for (const auto& [name, series] : series_) count = std::max(count, series.points.size());
  for (size_t i = 0; i < count; ++i) telemetry.add_at_s(static_cast<double>(i + 1) * interval_s);
  for (const auto& [name, recorded] : series_) {
    v1::TelemetrySeries* series = telemetry.add_series();
    series->set_name(name);
    series->set_unit(recorded.unit);
    series->mutable_values()->Resize(static_cast<int>(count), std::numeric_limits<float>::quiet_NaN());
    for (size_t i = 0; i < recorded.points.size(); ++i) {
      const Point& point = recorded.points[i];
      if (point.count > 0) series->set_values(static_cast<int>(i), static_cast<float>(point.sum / point.count));
    }
  }
  return telemetry;
}

}  // namespace fleetmark
