#include "common/machine_checks.h"

#include <algorithm>

#include "common/verdict.h"

namespace fleetmark {
namespace {

namespace limits = verdict_limits;

void CheckGpuThrottles(const MachineView& machine, Evidence* evidence) {
  const SeriesView heat = machine.Of(telemetry::kGpuHeatThrottle), brake = machine.Of(telemetry::kGpuPowerBrake);
  if (!heat.empty() && heat.Mean() >= limits::kThrottledShare) {
    const SeriesView temperature = machine.Of(telemetry::kGpuTemperature);
    evidence->Against("THROTTLED", "heat",
                      "the GPU slowed itself down because of heat during " + words::Percent(heat.Mean()) +
                          " of the measured part" +
                          (temperature.empty() ? "" : ", at up to " + words::Number(temperature.Max()) + " °C"));
  }
  if (!brake.empty() && brake.Mean() >= limits::kThrottledShare) {
    evidence->Against("THROTTLED", "power",
                      "the GPU's power brake was on during " + words::Percent(brake.Mean()) +
                          " of the measured part: its supply does not give what it needs");
  }
  if (heat.empty()) {
    if (machine.IsOnGpu()) evidence->Unknown("whether the GPU slowed itself down was not seen");
  } else if (!machine.IsSeen(telemetry::kGpuHeatThrottle)) {
    evidence->Unknown("whether the GPU slowed itself down was seen for " +
                      words::Percent(machine.ShareSeen(telemetry::kGpuHeatThrottle)) + " of the measured part alone");
  } else if (heat.Max() <= 0 && (brake.empty() || brake.Max() <= 0)) {
    evidence->InOrder("the GPU says that it did not slow itself down");
  } else if (heat.Mean() > 0 && heat.Mean() < limits::kThrottledShare) {
    evidence->InOrder("the GPU slowed itself down because of heat during no more than " + words::Percent(heat.Mean()) +
                      " of the measured part");
  }
}

void CheckCpuThrottles(const MachineView& machine, Evidence* evidence) {
  const SeriesView events = machine.Of(telemetry::kCpuHeatThrottles), quota = machine.Of(telemetry::kQuota);
  if (machine.IsBusyOnCpu() && !events.empty() && events.Mean() >= limits::kHeatEventsPerS) {
    evidence->Against("THROTTLED", "heat",
                      "the CPU slowed itself down because of heat: its kernel counted " + words::Number(events.Mean()) +
                          " throttle events a second");
  }
  if (!quota.empty() && quota.Mean() >= limits::kQuotaPercent) {
    evidence->Against("THROTTLED", "quota",
                      "a CPU quota of its control group held the worker back during " + words::Number(quota.Mean()) +
                          " % of the measured part");
  }
}

void CheckOtherProcesses(const MachineView& machine, Evidence* evidence) {
  const SeriesView others = machine.Of(telemetry::kOtherCpu), worker = machine.Of(telemetry::kWorkerCpu);
  if (others.empty()) return evidence->Unknown("what other processes did was not seen");
  const double busy = others.Mean() + (worker.empty() ? 0 : worker.Mean());
  const double limit = busy >= limits::kFullMachine * machine.Capacity()
                           ? std::max(limits::kOthersWhenFull, limits::kOthersOfFullMachine * machine.Capacity())
                           : std::max(limits::kOthersOnCpu, limits::kOthersOfMachine * machine.Capacity());
  const std::string used = "other processes used " + words::Number(others.Mean()) + " % of a CPU on average";
  if (others.Mean() >= limit) {
    evidence->Against("INTERFERED", "other processes",
                      used + ", of " + words::Number(machine.Capacity() / 100) + " CPUs");
  } else if (const double level = std::max(limit, limits::kOthersOnCpu);
             others.ShareFrom(level) >= limits::kOthersForAWhile) {
    evidence->Against("INTERFERED", "other processes",
                      "other processes used " + words::Number(level) + " % of a CPU and more during " +
                          words::Percent(others.ShareFrom(level)) + " of the measured part");
  } else if (machine.IsSeen(telemetry::kOtherCpu)) {
    evidence->InOrder(used);
  } else {
    evidence->Unknown("what other processes did was seen for " +
                      words::Percent(machine.ShareSeen(telemetry::kOtherCpu)) + " of the measured part alone");
  }
}

void CheckHypervisor(const MachineView& machine, Evidence* evidence) {
  const SeriesView steal = machine.Of(telemetry::kSteal), worker = machine.Of(telemetry::kWorkerCpu);
  if (steal.empty() || worker.empty()) return;
  const double share = steal.Mean() / std::max(worker.Mean(), 1.0);
  if (share < limits::kStealOfWorker) return;
  evidence->Against(
      "INTERFERED", "hypervisor",
      "the hypervisor gave other machines CPU time that is " + words::Percent(share) + " of what the worker got");
}

void CheckGpuNeighbours(const MachineView& machine, Evidence* evidence) {
  const SeriesView others = machine.Of(telemetry::kGpuOtherUtil);
  if (others.empty()) {
    if (machine.IsOnGpu()) evidence->Unknown("who else used the GPU was not seen");
    return;
  }
  const std::string used =
      "other processes kept the GPU busy for " + words::Number(others.Mean()) + " % of the measured part";
  if (others.Mean() >= limits::kOthersOnGpu) {
    evidence->Against("INTERFERED", "GPU shared", used);
  } else if (machine.IsSeen(telemetry::kGpuOtherUtil)) {
    evidence->InOrder(used);
  } else {
    evidence->Unknown("who else used the GPU was seen for " +
                      words::Percent(machine.ShareSeen(telemetry::kGpuOtherUtil)) + " of the measured part alone");
  }
}

}  // namespace

void CheckMachine(const MachineView& machine, Evidence* evidence) {
  CheckGpuThrottles(machine, evidence);
  CheckCpuThrottles(machine, evidence);
  CheckOtherProcesses(machine, evidence);
  CheckHypervisor(machine, evidence);
  CheckGpuNeighbours(machine, evidence);
}

}  // namespace fleetmark
