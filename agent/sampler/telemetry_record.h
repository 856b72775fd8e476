#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/sampler/sensor.h"
#include "fleetmark/v1/run.pb.h"

namespace fleetmark {

// Why a reading cannot be true, as one sentence; nothing when it can: not finite, below nothing, a temperature at which
// no machine works, more CPU time than `cpus` CPUs have.
std::optional<std::string> Nonsense(const Reading& reading, int cpus);

// What the sensors of one run read, on one time axis. Bounded, however long the run: where there are too many points,
// neighbours become one, their mean, and the interval doubles. Not thread-safe.
class TelemetryRecord {
 public:
  static constexpr int kMostPoints = 2000;
  // Of all series together; fewer points where there are many series (of CPUs), but never under kFewestPoints.
  static constexpr int kMostValues = 200'000;
  static constexpr int kFewestPoints = 250;

  // Sensors are read every `interval_s` from the start on.
  explicit TelemetryRecord(double interval_s) : interval_s_(interval_s) {}

  // What was read `at_s` after the start.
  void Add(double at_s, const Reading& reading);

  // Interval, points and series; NaN where nothing was read.
  v1::Telemetry Build() const;

 private:
  struct Point {
    double sum = 0;
    int count = 0;
  };
  struct Series {
    std::string unit;
    std::vector<Point> points;
  };
  int MostPoints() const;
  void Halve();

  const double interval_s_;
  int intervals_per_point_ = 1;
  std::map<std::string, Series> series_;
};

}  // namespace fleetmark
