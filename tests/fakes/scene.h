#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/telemetry.h"
#include "fleetmark/v1/run.pb.h"
#include "tests/fakes/noise.h"

namespace fleetmark {

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

// A run as it goes on, before anybody has measured it: a fault is a function that changes it.
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
  // At the end of each of its epochs it evaluates, which has other page faults.
  int epochs = 0;
  double evaluation_s = 0;
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

// The run as its runner and the agent would report it: steady part, rate and interval, telemetry, a ceiling.
v1::Result Record(Scene* scene);

}  // namespace fleetmark
