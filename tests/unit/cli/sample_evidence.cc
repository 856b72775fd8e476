#include "tests/unit/cli/sample_evidence.h"

#include <limits>
#include <string>
#include <vector>

#include "common/telemetry.h"

namespace fleetmark {
namespace {

constexpr float kUnknown = std::numeric_limits<float>::quiet_NaN();

void AddSeries(v1::Telemetry* telemetry, const telemetry::SeriesName& series, const std::string& suffix,
               const std::vector<float>& values) {
  v1::TelemetrySeries& added = *telemetry->add_series();
  added.set_name(series.name + suffix);
  added.set_unit(series.unit);
  added.mutable_values()->Add(values.begin(), values.end());
}

void AddSensor(v1::Telemetry* telemetry, const char* name, const char* state, const char* why) {
  v1::Sensor& sensor = *telemetry->add_sensors();
  sensor.set_name(name);
  sensor.set_state(state);
  sensor.set_why(why);
}

void FillTelemetry(v1::Telemetry* telemetry) {
  telemetry->set_interval_s(0.5);
  for (int point = 1; point <= 10; ++point) telemetry->add_at_s(0.5 * point);
  // Points 4 to 8.
  telemetry->set_measured_from_s(1.5);
  telemetry->set_measured_until_s(4);
  // The first read gives no rates; at point 6 the sensor did not answer.
  AddSeries(telemetry, telemetry::kCpu, "", {kUnknown, 40, 60, 190, 191, kUnknown, 192, 195, 80, 20});
  AddSeries(telemetry, telemetry::kCpu, ".0", {kUnknown, 30, 40, 100, 99, kUnknown, 97, 100, 40, 10});
  AddSeries(telemetry, telemetry::kCpu, ".1", {kUnknown, 10, 20, 90, 92, kUnknown, 95, 95, 40, 10});
  AddSeries(telemetry, telemetry::kOtherCpu, "", {kUnknown, 30, 20, 1.5F, 2.25F, kUnknown, 3, 2, 60, 1});
  AddSeries(telemetry, telemetry::kWorkerRss, "", {1e6F, 3e8F, 5e8F, 6e8F, 6e8F, 6e8F, 6.1e8F, 6.1e8F, 6.1e8F, 0});
  AddSeries(telemetry, telemetry::kDiskRead, "", {kUnknown, 2e8F, 1e8F, 0, 0, 0, 0, 0, 0, 0});
  AddSeries(telemetry, telemetry::kCpuTemperature, "", std::vector<float>(10, kUnknown));
  AddSensor(telemetry, "proc", "ok", "");
  AddSensor(telemetry, "cpufreq", "ok", "");
  AddSensor(telemetry, "nvml", "absent", "this machine has no NVIDIA driver");
  AddSensor(telemetry, "rapl", "forbidden", "/sys/class/powercap may be read by root alone; see docs/operations.md");
  v1::TelemetryCost& cost = *telemetry->mutable_cost();
  cost.set_share(0.0012);
  cost.set_ci_low(-0.0021);
  cost.set_ci_high(0.0044);
  cost.set_blocks(12);
}

}  // namespace

void AddSampleEvidence(v1::Result* result) {
  v1::WorkerResult& summary = *result->mutable_summary();
  summary.set_warmup_found(17);
  summary.set_is_steady(true);
  summary.set_steps_per_sample(4);
  v1::Steadiness& steadiness = *result->mutable_steadiness();
  steadiness.set_burst_it_per_s(44.1);
  steadiness.set_sustained_it_per_s(42.47);
  steadiness.set_drift(0.0123);
  v1::ChangePoint& change = *steadiness.add_change_points();
  change.set_sample(120);
  change.set_at_s(11.2);
  change.set_before_s(0.0227);
  change.set_after_s(0.0241);
  v1::Ceiling& memory = *result->add_ceilings();
  memory.set_resource("memory");
  memory.set_rate(31.25e9);
  memory.set_measured_unix_s(1795262400);
  v1::Ceiling& arithmetic = *result->add_ceilings();
  arithmetic = memory;
  arithmetic.set_resource("arithmetic");
  arithmetic.set_dtype("fp32");
  arithmetic.set_rate(1.6e12);
  v1::Metric& metric = *result->add_metrics();
  metric.set_name("tflop_per_s");
  metric.set_unit("TFLOP/s");
  metric.set_value(1.2);
  FillTelemetry(result->mutable_telemetry());
}

}  // namespace fleetmark
