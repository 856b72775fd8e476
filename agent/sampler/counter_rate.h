#pragma once

#include <map>
#include <optional>
#include <string>

namespace fleetmark {

// How fast a counter grows.
class CounterRate {
 public:
  // Per second since the call before. Nothing at the first one, and where time or counter did not go forward: a counter
  // that went back was begun anew, and nobody knows what it had missed.
  std::optional<double> PerSecond(double now_s, double count) {
    std::optional<double> rate;
    if (last_ && now_s > last_s_ && count >= *last_) rate = (count - *last_) / (now_s - last_s_);
    last_ = count;
    last_s_ = now_s;
    return rate;
  }

 private:
  std::optional<double> last_;
  double last_s_ = 0;
};

// Counters of one kind, by name: disks, interfaces. They may come and go.
class CounterRates {
 public:
  // Adds to `sum` how fast this one grew; leaves it as it is where that is not known.
  void AddTo(std::optional<double>* sum, double now_s, const std::string& name, double count) {
    if (const auto rate = rates_[name].PerSecond(now_s, count)) *sum = sum->value_or(0) + *rate;
  }
  void Clear() { rates_.clear(); }

 private:
  std::map<std::string, CounterRate> rates_;
};

}  // namespace fleetmark
