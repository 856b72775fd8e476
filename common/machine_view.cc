#include "common/machine_view.h"

#include <algorithm>

#include "common/verdict.h"

namespace fleetmark {

namespace limits = verdict_limits;

bool MachineView::HasTelemetry() const {
  return std::max({Of(telemetry::kCpu).size(), Of(telemetry::kOtherCpu).size(), Of(telemetry::kGpuUtil).size()}) >=
         limits::kFewestPoints;
}

double MachineView::ShareSeen(const telemetry::SeriesName& series) const {
  return fleetmark::ShareSeen(result_.telemetry(), Of(series));
}

bool MachineView::IsSeen(const telemetry::SeriesName& series) const {
  return Of(series).size() >= limits::kFewestPoints && ShareSeen(series) >= limits::kLeastSeen;
}

std::string MachineView::WhyUnchecked() const {
  if (result_.telemetry().at_s_size() == 0) return "there is no telemetry of this run";
  if (!IsSeen(telemetry::kCpu) && !IsSeen(telemetry::kOtherCpu) && !IsSeen(telemetry::kGpuUtil)) {
    return "the measured part has too little telemetry";
  }
  if (IsOnGpu() && !IsSeen(telemetry::kGpuUtil) && !IsSeen(telemetry::kGpuClock) &&
      !IsSeen(telemetry::kGpuHeatThrottle)) {
    return "there is no telemetry of " + result_.environment().device().name() + ", which did the work";
  }
  return "";
}

double MachineView::Capacity() const {
  const std::string one_cpu = std::string(telemetry::kCpu.name) + ".";
  const auto& series = result_.telemetry().series();
  const auto cpus = std::count_if(series.begin(), series.end(),
                                  [&](const v1::TelemetrySeries& one) { return one.name().starts_with(one_cpu); });
  return 100.0 *
         std::max<double>({1.0, static_cast<double>(cpus), static_cast<double>(result_.environment().cpu_count())});
}

bool MachineView::IsOnGpu() const {
  const std::string& kind = result_.environment().device().kind();
  return !kind.empty() && kind != "cpu";
}

bool MachineView::IsBusyOnCpu() const {
  const SeriesView worker = Of(telemetry::kWorkerCpu);
  return Of(telemetry::kGpuUtil).empty() && !worker.empty() && worker.Mean() >= limits::kBusyMachine * Capacity();
}

}  // namespace fleetmark
