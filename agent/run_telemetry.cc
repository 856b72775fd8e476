#include "agent/run_telemetry.h"

#include <cstdio>
#include <optional>
#include <string>

#include "common/run_evidence.h"
#include "common/telemetry.h"
#include "common/telemetry_view.h"
#include "common/verdict.h"

namespace fleetmark::agent {
namespace {

constexpr double kNotableCost = 0.01;

void AddTo(std::vector<v1::Metric>* metrics, const char* name, const char* unit, double value) {
  v1::Metric& metric = metrics->emplace_back();
  metric.set_name(name);
  metric.set_unit(unit);
  metric.set_value(value);
}

std::optional<double> Joules(const v1::Telemetry& telemetry, const char* power) {
  const SeriesView watts(telemetry, power);
  if (watts.empty() || ShareSeen(telemetry, watts) < verdict_limits::kLeastSeen) return std::nullopt;
  return watts.Mean() * (telemetry.measured_until_s() - telemetry.measured_from_s());
}

std::string PercentText(double share) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.2g %%", 100 * share);
  return text;
}

}  // namespace

std::vector<v1::Metric> TelemetryMetrics(const v1::Telemetry& telemetry) {
  std::vector<v1::Metric> metrics;
  if (!telemetry.has_measured_from_s() || !telemetry.has_measured_until_s()) return metrics;
  const SeriesView cpu(telemetry, telemetry::kWorkerCpu.name);
  if (!cpu.empty()) AddTo(&metrics, "cpu_percent", "%", cpu.Mean());
  const SeriesView gpu(telemetry, telemetry::kGpuUtil.name), memory(telemetry, telemetry::kGpuMemory.name);
  if (!gpu.empty()) AddTo(&metrics, "gpu_util_percent", "%", gpu.Mean());
  if (!memory.empty()) AddTo(&metrics, "gpu_memory_bytes", "B", memory.Max());
  const auto package = Joules(telemetry, telemetry::kPackagePower.name);
  const auto device = Joules(telemetry, telemetry::kGpuPower.name);
  if (package || device) AddTo(&metrics, "energy_j", "J", package.value_or(0) + device.value_or(0));
  return metrics;
}

void TellSamplingCost(const BlockSchedule& blocks, v1::Result* result) {
  v1::Telemetry* telemetry = result->mutable_telemetry();
  MeasuredSteps steps;
  const std::vector<double> step_s = StepTimes(*result);
  steps.step_s = step_s;
  steps.steps_per_sample = result->summary().steps_per_sample();
  // The step times are those behind the warm-up that was found.
  if (telemetry->has_measured_from_s())
    steps.from_s = telemetry->measured_from_s() + result->summary().warmup_found_s();
  if (telemetry->has_measured_until_s()) steps.until_s = telemetry->measured_until_s();
  const auto cost = MeasureSamplingCost(steps, blocks);
  if (!cost.ok()) {
    result->mutable_summary()->add_notes("what sampling costs is not known: " + cost.status().message());
    return;
  }
  *telemetry->mutable_cost() = *cost;
  if (cost->share() <= kNotableCost) return;
  const std::string known = cost->has_ci_low()
                                ? "95 % interval " + PercentText(cost->ci_low()) + " to " + PercentText(cost->ci_high())
                                : "too few blocks for an interval";
  const bool is_shown = cost->has_ci_low() && cost->ci_low() > 0;
  result->mutable_summary()->add_notes(std::string("sampling ") + (is_shown ? "made" : "may have made") + " a step " +
                                       PercentText(cost->share()) + " longer (" + known + ")");
}

}  // namespace fleetmark::agent
