#pragma once

#include <string>

#include "common/telemetry.h"
#include "common/telemetry_view.h"
#include "fleetmark/v1/run.pb.h"

namespace fleetmark {

// What telemetry shows of the machine during the measured part of a run. Reads the result's telemetry and environment,
// which must outlive it.
class MachineView {
 public:
  explicit MachineView(const v1::Result& result) : result_(result) {}

  SeriesView Of(const telemetry::SeriesName& series) const { return {result_.telemetry(), series.name}; }
  SeriesPair Of(const telemetry::SeriesName& first, const telemetry::SeriesName& second) const {
    return {result_.telemetry(), first.name, second.name};
  }
  // Whether there is anything to judge by.
  bool HasTelemetry() const;
  // The share of the measured part's points at which it is known, and whether those are enough to certify something.
  double ShareSeen(const telemetry::SeriesName& series) const;
  bool IsSeen(const telemetry::SeriesName& series) const;
  // Why nothing can be certified; "" where it can.
  std::string WhyUnchecked() const;

  // Percent of one CPU: of the whole machine, which others have too, and not of the CPUs that the worker may run on.
  double Capacity() const;
  bool IsOnGpu() const;
  // Whether the CPUs do the run's work: those of a run on a GPU, or with few threads, idle and clock as they like.
  bool IsBusyOnCpu() const;

 private:
  const v1::Result& result_;
};

}  // namespace fleetmark
