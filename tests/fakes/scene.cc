#include "tests/fakes/scene.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "common/bootstrap.h"
#include "common/run_evidence.h"
#include "common/statistics.h"
#include "common/vocabulary.h"
#include "common/warmup.h"

namespace fleetmark {
namespace {

constexpr double kInterval_s = 0.5;
constexpr float kUnknown = std::numeric_limits<float>::quiet_NaN();

// Of which there are as many a step as before when only the speed changes.
void ShowPageFaults(Scene* scene) {
  const auto per_s = [per_step = scene->faults_per_step, slowness = scene->slowness, base_s = scene->base_s](double x) {
    return per_step(x) / (base_s * slowness(x));
  };
  const double other_percent = scene->dice.Uniform(0, 3);
  scene->Show(telemetry::kWorkerPageFaults, per_s, 0.1);
  scene->Show(
      telemetry::kWorkerSystem,
      [per_s, other_percent, fault_s = scene->fault_s](double x) { return other_percent + 100 * fault_s * per_s(x); },
      0.3);
}

std::vector<double> MakeSteps(Scene* scene) {
  std::vector<double> step_s;
  double deviation = 0, spent = 0;
  const double fresh = std::sqrt(1 - scene->correlation * scene->correlation);
  while (spent < scene->length_s) {
    deviation = scene->correlation * deviation + fresh * scene->noise * scene->dice.Normal();
    double seconds = scene->base_s * scene->slowness(spent / scene->length_s) * std::exp(deviation);
    if (scene->dice.Chance(0.003)) seconds *= scene->dice.Uniform(1.1, 1.6);  // something else, for a moment
    step_s.push_back(seconds);
    spent += seconds;
  }
  return step_s;
}

struct Place {
  double x;  // share of the run
  bool is_evaluation;
};

// At `at_s` behind the first step of the measured part, whose steps take `steps_s`.
Place PlaceAt(const Scene& scene, double steps_s, double at_s) {
  if (scene.epochs == 0) return {at_s / steps_s, false};
  const double training_s = steps_s / scene.epochs, epoch_s = training_s + scene.evaluation_s;
  const double epoch = std::clamp(std::floor(at_s / epoch_s), 0.0, scene.epochs - 1.0),
               in_epoch_s = at_s - epoch * epoch_s;
  return {(epoch + std::min(in_epoch_s / training_s, 1.0)) / scene.epochs, in_epoch_s > training_s};
}

void AddTelemetry(Scene* scene, double steps_s, v1::Telemetry* telemetry) {
  const double from = scene->dice.Uniform(0.5, 5), measured_s = steps_s + scene->epochs * scene->evaluation_s;
  telemetry->set_interval_s(kInterval_s);
  telemetry->set_measured_from_s(from);
  telemetry->set_measured_until_s(from + measured_s * 1.001 + 0.01);
  for (double at = kInterval_s; at < from + measured_s + 2; at += kInterval_s) telemetry->add_at_s(at);
  const double faults_of_evaluation = scene->dice.Uniform(0, 5);  // to one of training
  for (const auto& [name, value] : scene->series) {
    v1::TelemetrySeries* series = telemetry->add_series();
    series->set_name(name);
    for (const double at : telemetry->at_s()) {
      const Place place = PlaceAt(*scene, steps_s, at - from);
      const bool is_other =
          place.is_evaluation && (name == telemetry::kWorkerPageFaults.name || name == telemetry::kWorkerSystem.name);
      const double exact = value(std::clamp(place.x, 0.0, 1.0)) * (is_other ? faults_of_evaluation : 1);
      const double shown = exact * (1 + scene->jitter[name] * scene->dice.Normal());
      const bool is_lost = scene->dice.Chance(0.01);  // a sensor did not answer in time
      series->add_values(is_lost ? kUnknown : static_cast<float>(std::max(shown, 0.0)));
    }
  }
}

// What a runner makes of its step times: the steady part and the rate with its interval.
void Analyse(std::vector<double> step_s, v1::Result* result) {
  const Warmup warmup = FindWarmup(step_s);
  double warmup_s = 0;
  for (size_t i = 0; i < warmup.samples; ++i) warmup_s += step_s[i];
  step_s.erase(step_s.begin(), step_s.begin() + static_cast<ptrdiff_t>(warmup.samples));
  const double mean = Mean(step_s);
  result->set_primary_metric("it_per_s");
  v1::Metric* rate = result->add_metrics();
  rate->set_name("it_per_s");
  rate->set_value(1 / mean);
  rate->set_n(static_cast<int>(step_s.size()));
  if (const Interval interval = MeanInterval(step_s); interval.known && interval.low > 0) {
    rate->set_ci_low(1 / interval.high);
    rate->set_ci_high(1 / interval.low);
  }
  v1::WorkerResult* summary = result->mutable_summary();
  summary->set_measured_s(mean * static_cast<double>(step_s.size()));
  summary->set_steps(static_cast<int>(step_s.size()));
  summary->set_warmup_found_s(warmup_s);
  summary->set_warmup_found(static_cast<int>(warmup.samples));
  if (warmup.is_steady) summary->set_is_steady(*warmup.is_steady);
  v1::Samples* samples = result->add_samples();
  samples->set_name("step_s");
  samples->set_unit("s");
  samples->mutable_values()->Add(step_s.begin(), step_s.end());
  *result->mutable_steadiness() = SteadinessOf(*result);
}

}  // namespace

v1::Result Record(Scene* scene) {
  ShowPageFaults(scene);
  v1::Result result;
  std::vector<double> step_s = MakeSteps(scene);
  const double steps_s = std::accumulate(step_s.begin(), step_s.end(), 0.0);
  AddTelemetry(scene, steps_s, result.mutable_telemetry());
  for (int epoch = 0; epoch < scene->epochs; ++epoch) {
    result.add_training_epochs()->set_epoch_s(steps_s / scene->epochs);
  }
  scene->spoil_clock(&step_s);
  result.mutable_environment()->set_cpu_count(scene->cpus);
  result.mutable_environment()->set_runtime(kOwnRuntime);
  result.mutable_environment()->mutable_device()->set_kind(scene->is_gpu ? "cuda" : "cpu");
  Analyse(std::move(step_s), &result);
  v1::Ceiling* ceiling = result.add_ceilings();
  ceiling->set_resource("memory");
  v1::Metric* traffic = result.add_metrics();
  traffic->set_name("gb_per_s");
  traffic->set_value(100);
  ceiling->set_rate(100e9 / scene->ceiling_share);
  return result;
}

}  // namespace fleetmark
