#include "tests/fakes/traces.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <string_view>

#include "common/bootstrap.h"
#include "common/run_evidence.h"
#include "common/statistics.h"
#include "common/telemetry.h"
#include "common/vocabulary.h"
#include "common/warmup.h"
#include "tests/fakes/noise.h"

namespace fleetmark {
namespace {

constexpr double kInterval_s = 0.5;
constexpr float kUnknown = std::numeric_limits<float>::quiet_NaN();

class Dice {
 public:
  explicit Dice(uint64_t seed) : noise_(seed) {}
  double Uniform(double low, double high) { return high - (high - low) * noise_.Uniform(); }  // below `high`
  double LogUniform(double low, double high) { return std::exp(Uniform(std::log(low), std::log(high))); }
  bool Chance(double share) { return noise_.Uniform() <= share; }
  double Normal() { return noise_.Normal(); }

 private:
  Noise noise_;
};

// A run as it goes on: a fault is a function that changes it.
struct Scene {
  explicit Scene(uint64_t seed) : dice(seed) {}

  Dice dice;
  bool is_gpu = false;
  int cpus = 2;
  double length_s = 0, base_s = 0, noise = 0, correlation = 0;
  // By share of the run in [0, 1]: how much longer than the base a step is, and what each series shows.
  std::function<double(double)> slowness = [](double) { return 1; };
  std::map<std::string, std::function<double(double)>> series;
  std::map<std::string, double> jitter;
  double ceiling_share = 0;
  // Of the worker, by share of the run; each takes `fault_s` of kernel time, which `slowness` has in it.
  std::function<double(double)> faults_per_step = [](double) { return 0; };
  double fault_s = 0;
  // Step times as the runner reports them, when its clock is not to be trusted.
  std::function<void(std::vector<double>*)> spoil_clock = [](std::vector<double>*) {};

  void Show(const telemetry::SeriesName& name, std::function<double(double)> value, double relative_jitter = 0.02) {
    series[name.name] = std::move(value);
    jitter[name.name] = relative_jitter;
  }
  void ShowConstant(const telemetry::SeriesName& name, double value, double relative_jitter = 0.02) {
    Show(
        name, [value](double) { return value; }, relative_jitter);
  }
  // From `from` to `until` of the run `inside`, else `outside`.
  static std::function<double(double)> Between(double from, double until, double inside, double outside) {
    return [=](double x) { return x >= from && x < until ? inside : outside; };
  }
};

void ShowMachine(Scene* scene) {
  Dice& dice = scene->dice;
  scene->series.clear();
  const double capacity = 100.0 * scene->cpus;
  const double used = scene->is_gpu ? dice.Uniform(50, 150) : capacity * dice.Uniform(0.9, 0.99);
  scene->ShowConstant(telemetry::kWorkerCpu, std::min(used, capacity));
  scene->ShowConstant(telemetry::kCpu, std::min(used, capacity));
  scene->ShowConstant(telemetry::kOtherCpu, dice.Uniform(0, 7) + capacity * dice.Uniform(0, 0.004), 0.5);
  scene->ShowConstant(telemetry::kSteal, dice.Chance(0.5) ? 0 : dice.Uniform(0, 0.01) * used, 0.5);
  scene->fault_s = dice.LogUniform(0.7e-6, 4e-6);
  const double faults = dice.Uniform(0, 0.1) * scene->base_s / scene->fault_s;
  scene->faults_per_step = [=](double) { return faults; };
  // CPUs that idle beside a GPU clock as they like.
  if (dice.Chance(0.6))
    scene->ShowConstant(telemetry::kCpuClock, dice.Uniform(2200, 4800), scene->is_gpu ? 0.3 : 0.015);
  if (dice.Chance(0.6)) scene->ShowConstant(telemetry::kCpuTemperature, dice.Uniform(45, 80));
  if (dice.Chance(0.3)) scene->ShowConstant(telemetry::kQuota, 0);
  if (!scene->is_gpu) return;
  const double clock = dice.Uniform(1200, 1900);
  const bool evaluates = dice.Chance(0.3);  // in the middle: less to do, and a higher clock
  scene->Show(telemetry::kGpuUtil, Scene::Between(0.4, evaluates ? 0.55 : 0.4, 20, dice.Uniform(85, 99)));
  scene->Show(telemetry::kGpuClock, Scene::Between(0.4, evaluates ? 0.55 : 0.4, 1.25 * clock, clock), 0.01);
  scene->ShowConstant(telemetry::kGpuTemperature, dice.Uniform(50, 80));
  scene->ShowConstant(telemetry::kGpuPower, dice.Uniform(100, 300));
  scene->ShowConstant(telemetry::kGpuHeatThrottle, 0);
  scene->ShowConstant(telemetry::kGpuPowerCap, dice.Chance(0.3) ? 1 : 0, 0);  // usual under full load
  scene->ShowConstant(telemetry::kGpuPowerBrake, 0);
  scene->ShowConstant(telemetry::kGpuOtherUtil, dice.Chance(0.7) ? 0 : dice.Uniform(0, 2), 0.5);
}

// What every run has: a machine, noise, perhaps a warm-up that ends early.
void MakeClean(Scene* scene) {
  Dice& dice = scene->dice;
  scene->is_gpu = dice.Chance(0.4);
  constexpr int kCpus[] = {2, 4, 8, 16, 64, 128};
  scene->cpus = kCpus[static_cast<int>(dice.Uniform(0, 6))];
  scene->length_s = dice.LogUniform(8, 120);
  scene->base_s = std::max(dice.LogUniform(2e-3, 0.15), scene->length_s / 8000);
  scene->noise = dice.LogUniform(0.002, 0.03);
  scene->correlation = dice.Uniform(0, 0.7);
  scene->ceiling_share = dice.Uniform(0.2, 1.03);
  ShowMachine(scene);
  if (!dice.Chance(0.5)) return;
  const double size = dice.Uniform(0.05, 0.4), length = dice.Uniform(0.005, 0.03);
  scene->slowness = [=](double x) { return 1 + size * std::exp(-x / length); };
}

// From somewhere in the run on it goes at `speed` of before.
struct Drop {
  double from, speed;
};
Drop SlowDown(Scene* scene) {
  const Drop drop = {scene->dice.Uniform(0.15, 0.7), scene->dice.Uniform(0.4, 0.8)};
  scene->slowness = Scene::Between(drop.from, 2, 1 / drop.speed, 1);
  return drop;
}

void ThrottleCpuClock(Scene* scene) {
  scene->is_gpu = false;
  ShowMachine(scene);
  const Drop drop = SlowDown(scene);
  const double clock = scene->dice.Uniform(2500, 4800);
  const bool is_hot = scene->dice.Chance(0.5);
  scene->Show(telemetry::kCpuClock, Scene::Between(drop.from, 2, clock * drop.speed, clock), 0.015);
  scene->Show(telemetry::kCpuTemperature,
              [=](double x) { return is_hot ? 75 + 20 * std::min(x / drop.from, 1.0) : 60; });
}

void CountCpuHeat(Scene* scene) {
  scene->is_gpu = false;
  ShowMachine(scene);
  const Drop drop = SlowDown(scene);
  const double rate = scene->dice.Uniform(2, 20);
  scene->Show(telemetry::kCpuHeatThrottles, Scene::Between(drop.from, 2, rate, 0), 0.3);
}

void ThrottleGpu(Scene* scene, const telemetry::SeriesName& flag) {
  scene->is_gpu = true;
  ShowMachine(scene);
  const Drop drop = SlowDown(scene);
  const double clock = scene->dice.Uniform(1200, 1900);
  scene->Show(telemetry::kGpuClock, Scene::Between(drop.from, 2, clock * drop.speed, clock), 0.01);
  scene->ShowConstant(telemetry::kGpuPowerCap, 0, 0);
  scene->Show(flag, Scene::Between(drop.from, 2, 1, 0), 0);
}

// Throttled from the first step on, as "Server GPU (Overheat)" was: nothing changes during the run.
void ThrottleGpuThroughout(Scene* scene) {
  scene->is_gpu = true;
  ShowMachine(scene);
  scene->ShowConstant(telemetry::kGpuHeatThrottle, 1, 0);
  scene->ShowConstant(telemetry::kGpuTemperature, scene->dice.Uniform(85, 100));
}

void HoldByQuota(Scene* scene) {
  scene->is_gpu = false;
  ShowMachine(scene);
  const double share = scene->dice.Uniform(0.1, 0.7);
  scene->noise = scene->dice.Uniform(0.02, 0.1);
  scene->slowness = [share](double) { return 1 / (1 - share); };
  scene->ShowConstant(telemetry::kQuota, 100 * share, 0.1);
  scene->ShowConstant(telemetry::kWorkerCpu, 100 * scene->cpus * (1 - share));
}

void SlowDownUnseen(Scene* scene) {
  SlowDown(scene);
  for (const auto& series : {telemetry::kCpuClock, telemetry::kGpuClock}) scene->series.erase(series.name);
}

void TakeACore(Scene* scene) {
  scene->is_gpu = false;
  ShowMachine(scene);
  Dice& dice = scene->dice;
  const double from = dice.Chance(0.3) ? 0 : dice.Uniform(0, 0.6), until = from + dice.Uniform(0.25, 1);
  const double taken = std::max(dice.Uniform(70, 100), 0.02 * 100 * scene->cpus), slow = dice.Uniform(1.1, 1.9);
  scene->slowness = Scene::Between(from, until, slow, 1);
  scene->Show(telemetry::kOtherCpu, Scene::Between(from, until, taken, 3), 0.1);
  const double capacity = 100.0 * scene->cpus;
  scene->Show(telemetry::kWorkerCpu, Scene::Between(from, until, capacity - taken, capacity * 0.97), 0.01);
}

void TakeTheGpu(Scene* scene) {
  scene->is_gpu = true;
  ShowMachine(scene);
  Dice& dice = scene->dice;
  const double from = dice.Uniform(0, 0.5), taken = dice.Uniform(15, 60);
  scene->slowness = Scene::Between(from, 2, 1 + taken / 60, 1);
  scene->Show(telemetry::kGpuOtherUtil, Scene::Between(from, 2, taken, 0), 0.1);
}

void TakeByHypervisor(Scene* scene) {
  scene->is_gpu = false;
  ShowMachine(scene);
  const double share = scene->dice.Uniform(0.08, 0.4), capacity = 100.0 * scene->cpus;
  scene->noise = scene->dice.Uniform(0.01, 0.1);
  scene->slowness = [share](double) { return 1 / (1 - share); };
  scene->ShowConstant(telemetry::kSteal, capacity * share, 0.2);
  scene->ShowConstant(telemetry::kWorkerCpu, capacity * (1 - share), 0.02);
}

void WarmUpForEver(Scene* scene) {
  const double size = scene->dice.Uniform(0.3, 1), length = scene->dice.Uniform(0.5, 2);
  scene->slowness = [=](double x) { return 1 + size * std::exp(-x / length); };
}

void Drift(Scene* scene) {
  const double size = scene->dice.Uniform(0.12, 0.5);
  scene->slowness = [size](double x) { return 1 + size * x; };
}

void StepClock(Scene* scene) {
  const double jump = scene->dice.LogUniform(1, 3600) * (scene->dice.Chance(0.5) ? -1 : 1),
               at = scene->dice.Uniform(0, 1);
  const double length_s = scene->length_s;
  scene->spoil_clock = [=](std::vector<double>* step_s) {
    // A small step forward is a slow step like any other.
    const double seconds = jump > 0 ? std::max(jump, 0.2 * length_s) : jump;
    (*step_s)[static_cast<size_t>(at * static_cast<double>(step_s->size()))] += seconds;
  };
}

void ExceedCeiling(Scene* scene) { scene->ceiling_share = scene->dice.Uniform(1.2, 5); }

// An allocator that gives memory back and takes it anew, for a while, as often as its heap happens to lie.
void FaultPages(Scene* scene) {
  scene->is_gpu = false;
  ShowMachine(scene);
  Dice& dice = scene->dice;
  // Into the second half: what is over before may be left out as a warm-up.
  const double longer = dice.Uniform(0.3, 0.8), from = dice.Uniform(0.15, 0.4), until = dice.Uniform(0.6, 0.8);
  const double again = dice.Chance(0.5) ? dice.Uniform(until + 0.08, 0.95) : 2;  // perhaps a second time, to the end
  const auto is_faulting = [=](double x) { return (x >= from && x < until) || x >= again; };
  scene->slowness = [=](double x) { return is_faulting(x) ? 1 + longer : 1; };
  const double few = scene->faults_per_step(0), many = few + longer * scene->base_s / scene->fault_s;
  scene->faults_per_step = [=](double x) { return is_faulting(x) ? many : few; };
}

void SpreadWidely(Scene* scene) {
  scene->noise = scene->dice.Uniform(0.3, 0.6);
  scene->correlation = scene->dice.Uniform(0, 0.5);
  scene->base_s = scene->length_s / scene->dice.Uniform(30, 100);
}

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

void AddTelemetry(Scene* scene, double measured_s, v1::Telemetry* telemetry) {
  const double from = scene->dice.Uniform(0.5, 5);
  telemetry->set_interval_s(kInterval_s);
  telemetry->set_measured_from_s(from);
  telemetry->set_measured_until_s(from + measured_s * 1.001 + 0.01);
  for (double at = kInterval_s; at < from + measured_s + 2; at += kInterval_s) telemetry->add_at_s(at);
  for (const auto& [name, value] : scene->series) {
    v1::TelemetrySeries* series = telemetry->add_series();
    series->set_name(name);
    for (const double at : telemetry->at_s()) {
      const double x = std::clamp((at - from) / measured_s, 0.0, 1.0), exact = value(x);
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

v1::Result Record(Scene* scene) {
  v1::Result result;
  std::vector<double> step_s = MakeSteps(scene);
  double measured_s = 0;
  for (const double seconds : step_s) measured_s += seconds;
  AddTelemetry(scene, measured_s, result.mutable_telemetry());
  scene->spoil_clock(&step_s);
  result.mutable_environment()->set_cpu_count(scene->cpus);
  result.mutable_environment()->set_runtime(kOwnRuntime);
  Analyse(std::move(step_s), &result);
  v1::Ceiling* ceiling = result.add_ceilings();
  ceiling->set_resource("memory");
  v1::Metric* traffic = result.add_metrics();
  traffic->set_name("gb_per_s");
  traffic->set_value(100);
  ceiling->set_rate(100e9 / scene->ceiling_share);
  return result;
}

using Change = std::function<void(Scene*)>;

Change ChangeOf(std::string_view name) {
  static const std::map<std::string_view, Change> kChanges = {
      {"clean", [](Scene*) {}},
      {"CPU clock falls", ThrottleCpuClock},
      {"CPU heat events", CountCpuHeat},
      {"GPU heat", [](Scene* scene) { ThrottleGpu(scene, telemetry::kGpuHeatThrottle); }},
      {"GPU heat throughout", ThrottleGpuThroughout},
      {"GPU power limit", [](Scene* scene) { ThrottleGpu(scene, telemetry::kGpuPowerCap); }},
      {"GPU power brake", [](Scene* scene) { ThrottleGpu(scene, telemetry::kGpuPowerBrake); }},
      {"CPU quota", HoldByQuota},
      {"slower, no sensor", SlowDownUnseen},
      {"neighbour on a core", TakeACore},
      {"neighbour on the GPU", TakeTheGpu},
      {"hypervisor", TakeByHypervisor},
      {"endless warm-up", WarmUpForEver},
      {"slow drift", Drift},
      {"wide spread", SpreadWidely},
      {"page faults", FaultPages},
      {"clock steps", StepClock},
      {"impossible rate", ExceedCeiling},
  };
  return kChanges.at(name);
}

}  // namespace

const std::vector<Fault>& Faults() {
  static const std::vector<Fault> kFaults = {
      {"clean", "OK", ""},
      {"CPU clock falls", "THROTTLED", "clock|heat"},
      {"CPU heat events", "THROTTLED", "heat"},
      {"GPU heat", "THROTTLED", "heat"},
      {"GPU heat throughout", "THROTTLED", "heat"},
      {"GPU power limit", "THROTTLED", "power"},
      {"GPU power brake", "THROTTLED", "power"},
      {"CPU quota", "THROTTLED", "quota"},
      {"slower, no sensor", "THROTTLED", "not seen"},
      {"neighbour on a core", "INTERFERED", "other processes"},
      {"neighbour on the GPU", "INTERFERED", "GPU shared"},
      {"hypervisor", "INTERFERED", "hypervisor"},
      {"endless warm-up", "NOISY", "warm-up"},
      {"slow drift", "NOISY", "drift"},
      {"wide spread", "NOISY", "spread|not steady"},
      {"page faults", "NOISY", "page faults"},
      {"clock steps", "IMPLAUSIBLE", "clock"},
      {"impossible rate", "IMPLAUSIBLE", "ceiling"},
  };
  return kFaults;
}

v1::Result MakeTrace(const Fault& fault, uint64_t seed) {
  Scene scene(seed);
  MakeClean(&scene);
  ChangeOf(fault.name)(&scene);
  ShowPageFaults(&scene);
  return Record(&scene);
}

bool IsRight(const Fault& fault, const v1::Verdict& verdict) {
  if (verdict.kind() != fault.kind) return false;
  std::string_view causes = fault.causes;
  while (true) {
    const size_t bar = causes.find('|');
    if (causes.substr(0, bar) == verdict.cause()) return true;
    if (bar == std::string_view::npos) return false;
    causes.remove_prefix(bar + 1);
  }
}

}  // namespace fleetmark
