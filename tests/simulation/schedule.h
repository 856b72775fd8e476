#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "tests/fakes/noise.h"

namespace fleetmark::simulation {

// All chance of one simulation, from its seed.
class Dice {
 public:
  explicit Dice(uint64_t seed) : noise_(seed) {}
  // From `low` to `high`, both included.
  int64_t Between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>((1 - noise_.Uniform()) * static_cast<double>(high - low + 1));
  }
  bool Chance(double share) { return noise_.Uniform() <= share; }
  double Seconds(double low, double high) { return low + (high - low) * noise_.Uniform(); }

 private:
  Noise noise_;
};

// What there is to happen, ordered by a time that nobody in the simulation sees: each machine has a clock of its own.
class Schedule {
 public:
  // Whatever explores all orders lets time pass only when nothing else can happen.
  enum class Kind { kNow, kTimer };

  int64_t now_ns() const { return now_ns_; }
  double now_s() const { return static_cast<double>(now_ns_) * 1e-9; }

  // What happens at one moment happens in the order in which it was told.
  void At(int64_t at_ns, Kind kind, std::function<void()> act) {
    entries_.emplace(std::pair(at_ns < now_ns_ ? now_ns_ : at_ns, next_++), Entry{kind, std::move(act)});
  }
  void In(int64_t delay_ns, Kind kind, std::function<void()> act) { At(now_ns_ + delay_ns, kind, std::move(act)); }

  // Lets the first thing happen; false when there is none before `until_ns`, which then is now.
  bool RunNext(int64_t until_ns) {
    if (entries_.empty() || entries_.begin()->first.first > until_ns) {
      now_ns_ = until_ns;
      return false;
    }
    Run(entries_.begin());
    return true;
  }

 private:
  struct Entry {
    Kind kind;
    std::function<void()> act;
  };
  using Entries = std::map<std::pair<int64_t, uint64_t>, Entry>;

  void Run(Entries::iterator entry) {
    now_ns_ = std::max(now_ns_, entry->first.first);
    const std::function<void()> act = std::move(entry->second.act);
    entries_.erase(entry);
    act();
  }

  Entries entries_;
  uint64_t next_ = 0;
  int64_t now_ns_ = 0;
};

}  // namespace fleetmark::simulation
