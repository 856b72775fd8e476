#include "tests/fakes/traces.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <string_view>

#include "common/telemetry.h"
#include "tests/fakes/scene.h"

namespace fleetmark {
namespace {

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
  if (dice.Chance(0.4)) {
    scene->epochs = static_cast<int>(dice.LogUniform(1, 10));
    scene->evaluation_s = dice.LogUniform(0.02, 0.5) * scene->length_s / scene->epochs;
  }
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
  if (dice.Chance(0.5)) return;
  const double clock = dice.Uniform(1200, 1900), left = dice.Uniform(0.6, 0.85);  // it takes of the power as well
  scene->Show(telemetry::kGpuClock, Scene::Between(from, 2, clock * left, clock), 0.01);
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
  // A small step forward is a slow step like any other, or may be an evaluation's time.
  const double least_s = 0.2 * scene->length_s + scene->epochs * scene->evaluation_s;
  scene->spoil_clock = [=](std::vector<double>* step_s) {
    const double seconds = jump > 0 ? std::max(jump, least_s) : jump;
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
