#include "tests/unit/cli/sample_report.h"

#include <cmath>
#include <limits>

#include "common/ids.h"
#include "common/telemetry.h"
#include "tests/unit/cli/sample_runs.h"

namespace fleetmark {
namespace {

constexpr int kTelemetryPoints = 60;
constexpr int kSteps = 90;

void AddSeries(const telemetry::SeriesName& name, double (*value)(int), v1::Telemetry* sampled) {
  v1::TelemetrySeries& series = *sampled->add_series();
  series.set_name(name.name);
  series.set_unit(name.unit);
  for (int i = 0; i < kTelemetryPoints; ++i) series.add_values(static_cast<float>(value(i)));
}

void FillTelemetry(bool is_on_gpu, v1::Telemetry* sampled) {
  sampled->set_interval_s(0.5);
  for (int i = 0; i < kTelemetryPoints; ++i) sampled->add_at_s(0.5 * i);
  sampled->set_measured_from_s(5);
  sampled->set_measured_until_s(26);
  AddSeries(
      telemetry::kCpu, [](int i) { return i < 10 ? 40.0 : 190.0 + i % 5; }, sampled);
  // The first second is not known, and a stretch in the middle.
  AddSeries(
      telemetry::kWorkerCpu,
      [](int i) { return i < 2 || (i > 30 && i < 34) ? std::numeric_limits<double>::quiet_NaN() : 180.0; }, sampled);
  AddSeries(
      telemetry::kOtherCpu, [](int i) { return 5.0 + i % 3; }, sampled);
  AddSeries(
      telemetry::kWorkerRss, [](int) { return 612e6; }, sampled);
  if (is_on_gpu)
    AddSeries(
        telemetry::kGpuUtil, [](int i) { return i < 10 ? 0.0 : 97.0; }, sampled);
  v1::Sensor& hwmon = *sampled->add_sensors();
  hwmon.set_name("hwmon");
  hwmon.set_state("absent");
  hwmon.set_why("this machine has no temperature sensor");
  sampled->add_sensors()->set_name("proc");
  sampled->mutable_sensors(1)->set_state("ok");
}

void FillSteps(double step_s, v1::Result* result) {
  result->clear_samples();
  for (const int first : {0, kSteps / 2}) {
    v1::Samples& samples = *result->add_samples();
    samples.set_name("step_s");
    samples.set_unit("s");
    samples.set_first(first);
    for (int i = first; i < first + kSteps / 2; ++i) samples.add_values(step_s * (i < 60 ? 1 : 1.25));
  }
  v1::ChangePoint& change = *result->mutable_steadiness()->add_change_points();
  change.set_sample(60);
  change.set_at_s(60 * step_s);
  change.set_before_s(step_s);
  change.set_after_s(1.25 * step_s);
  result->mutable_summary()->set_steps_per_sample(10);
}

void AddParameter(const std::string& name, const std::string& value, bool defines_board, v1::WorkloadSpec* spec) {
  v1::ParameterSpec& parameter = *spec->add_parameters();
  parameter.set_name(name);
  parameter.set_type("int");
  parameter.set_default_value(value);
  parameter.set_defines_board(defines_board);
  parameter.set_tunable(!defines_board);
}

v1::Reference& AddReference(const std::string& kind, const std::string& runtime, double value,
                            v1::ListReferencesResponse* list) {
  v1::Reference& reference = *list->add_references();
  reference.set_workload("mnist_cnn");
  reference.set_system("Asus G513QY");
  reference.set_device_kind(kind);
  reference.set_device(kind == "cpu" ? "AMD Ryzen 9 5900HX" : "AMD Radeon RX 6800M");
  reference.set_runtime(runtime);
  reference.set_metric("total_s");
  reference.set_unit("s");
  reference.set_value(value);
  reference.set_published_in("\"MNIST Benchmarks\", 2023-08-08");
  return reference;
}

}  // namespace

v1::ListWorkloadsResponse SampleOffers() {
  v1::ListWorkloadsResponse offers;
  v1::WorkloadOffer& offer = *offers.add_workloads();
  offer.set_runtime("libtorch");
  v1::WorkloadSpec& spec = *offer.mutable_spec();
  spec.set_name("mnist_cnn");
  spec.set_version(1);
  AddParameter("batch", "64", true, &spec);
  AddParameter("threads", "0", false, &spec);
  v1::MetricSpec& metric = *spec.add_metrics();
  metric.set_name("samples_per_s");
  metric.set_unit("samples/s");
  metric.set_better("more");
  return offers;
}

v1::RunInfo SampleMeasured(const std::string& name, const std::string& device, const std::string& runtime,
                           double samples_per_s) {
  v1::RunInfo run = SampleSuccess(name);
  run.set_job_id((name + std::string(kIdLength, 'j')).substr(0, kIdLength));
  run.set_device(device);
  run.set_runtime(runtime);
  run.clear_parameters();
  v1::Result& result = *run.mutable_result();
  // Evidence of its own.
  result.clear_verdict();
  result.clear_telemetry();
  result.clear_steadiness();
  result.clear_ceilings();
  result.clear_samples();
  v1::Metric& primary = *result.mutable_metrics(0);
  primary.set_value(samples_per_s);
  primary.set_ci_low(samples_per_s * 0.99);
  primary.set_ci_high(samples_per_s * 1.01);
  result.mutable_environment()->mutable_device()->set_model(device == "cpu" ? "AMD EPYC 9B45" : "NVIDIA V100");
  result.mutable_metrics(1)->set_value(64 / samples_per_s);
  v1::Metric& cpu = *result.add_metrics();
  cpu.set_name("cpu_percent");
  cpu.set_unit("%");
  cpu.set_value(187.3);
  result.mutable_usage()->set_load1_after(2.02);
  result.mutable_verdict()->set_kind("OK");
  v1::TrainingEpoch& epoch = *result.add_training_epochs();
  epoch = result.training_epochs(0);
  epoch.set_epoch(2);
  epoch.set_loss(0.0812);
  epoch.set_val_accuracy(0.9893);
  FillTelemetry(device != "cpu", result.mutable_telemetry());
  FillSteps(64 / samples_per_s, &result);
  return run;
}

std::vector<v1::RunInfo> SampleReportRuns() {
  std::vector<v1::RunInfo> runs = {
      SampleMeasured("c1", "cpu", "libtorch", 2718), SampleMeasured("g1", "cuda:0", "libtorch", 40000),
      SampleMeasured("p1", "cpu", "pytorch", 2300), SampleMeasured("t1", "cpu", "libtorch", 1100)};
  runs[3].set_agent("lab-4");
  runs[3].mutable_result()->mutable_verdict()->set_kind("THROTTLED");
  runs[3].mutable_result()->mutable_verdict()->add_evidence("the CPU's clock fell from 3400 to 1900 MHz");
  // Too short for an interval, and nobody sampled it.
  v1::Result& brief = *runs[2].mutable_result();
  brief.mutable_metrics(0)->clear_ci_low();
  brief.mutable_metrics(0)->clear_ci_high();
  brief.mutable_metrics(0)->set_n(2);
  brief.clear_telemetry();
  brief.clear_samples();
  brief.clear_steadiness();
  return runs;
}

v1::ListReferencesResponse SampleReferences() {
  v1::ListReferencesResponse list;
  AddReference("cpu", "tensorflow", 654, &list).set_note("load average 11.4");
  AddReference("gpu", "tensorflow", 63, &list);
  AddReference("cpu", "pytorch", 458, &list);
  v1::Reference& claimed = AddReference("gpu", "pytorch", 110, &list);
  claimed.set_claim("4x");
  claimed.set_claim_against("AMD Ryzen 9 5900HX");
  v1::Reference& rate = AddReference("cpu", "pytorch", 1834.1, &list);
  rate.set_metric("samples_per_s");
  rate.set_unit("samples/s");
  rate.set_derived(true);
  rate.set_note("14 epochs x 60,000 samples / the published total of 458 s");
  return list;
}

std::vector<ReportBoard> SampleBoards(const std::vector<v1::RunInfo>& runs, const ReportChoice& choice) {
  StatusOr<ReportCollector> collector = ReportCollector::Make(choice, SampleOffers(), SampleReferences());
  if (!collector.ok()) std::abort();
  for (const v1::RunInfo& run : runs) collector->Take(run);
  return collector->TakeBoards();
}

}  // namespace fleetmark
