#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fleetmark/v1/run.pb.h"

namespace fleetmark {

// What one series showed during the measured part of a run.
class SeriesView {
 public:
  // Of the points within the measured part (of all, where the runner never said which that is); without those at which
  // the value was unknown.
  SeriesView(const v1::Telemetry& telemetry, std::string_view name) : SeriesView(telemetry, name, 0, 1) {}
  // Of a part of it alone: `from` and `until` are shares of the measured time. Empty of a part of a run that never said
  // when it was measured.
  SeriesView(const v1::Telemetry& telemetry, std::string_view name, double from, double until);

  bool empty() const { return values_.empty(); }
  size_t size() const { return values_.size(); }
  const std::vector<double>& values() const { return values_; }
  // The rest is for a view that is not empty.
  double Mean() const;
  double Min() const;
  double Max() const;
  // Share of the points with at least `level`.
  double ShareFrom(double level) const;

 private:
  std::vector<double> values_;
};

// Two series at those points of the measured part at which both are known.
struct SeriesPair {
  SeriesPair(const v1::Telemetry& telemetry, std::string_view first_name, std::string_view second_name);
  std::vector<double> first, second;
};

// Of each sensor that is not ok, or was not for a while, or does not tell all, what is the matter: "rapl forbidden: its
// files may be read by root alone".
std::vector<std::string> SensorProblems(const v1::Telemetry& telemetry);

// Points within the measured part, whatever is known at them.
int CountMeasuredPoints(const v1::Telemetry& telemetry);

// The share of those at which `view`, which is of all of them, knows a value; 0 where there are none.
double ShareSeen(const v1::Telemetry& telemetry, const SeriesView& view);

}  // namespace fleetmark
