#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <source_location>
#include <utility>

#include "tests/fakes/noise.h"

namespace fleetmark::simulation {

class Digest;

// All chance of one simulation, from its seed.
class Dice {
 public:
  // Without chance each throw gives the least: for whoever tries everything.
  explicit Dice(uint64_t seed, bool has_chance = true) : noise_(seed), has_chance_(has_chance) {}
  // From `low` to `high`, both included.
  int64_t Between(int64_t low, int64_t high) {
    if (!has_chance_) return low;
    return low + static_cast<int64_t>((1 - noise_.Uniform()) * static_cast<double>(high - low + 1));
  }
  bool Chance(double share) { return has_chance_ && noise_.Uniform() <= share; }
  double Seconds(double low, double high) { return has_chance_ ? low + (high - low) * noise_.Uniform() : low; }

 private:
  Noise noise_;
  const bool has_chance_;
};

// To whom something happens.
struct Party {
  enum class Kind { kPeople, kCoordinator, kAgent } kind = Kind::kPeople;
  int index = 0;
  int agent = -1;  // that it is about, if it is about one
  auto operator<=>(const Party&) const = default;
};
inline Party CoordinatorParty(int index, int agent = -1) { return {Party::Kind::kCoordinator, index, agent}; }
inline Party AgentParty(int index) { return {Party::Kind::kAgent, index, index}; }
inline constexpr Party kPeople{};

// What there is to happen, ordered by a time that nobody in the simulation sees: each machine has a clock of its own.
class Schedule {
 public:
  enum class Kind {
    kMessage,  // arrives, and might be lost instead
    kTurn,     // a process acts on what has come
    kNow,      // anything else that takes no time
    kTimer,    // comes when its time has come
  };
  using Key = std::pair<int64_t, uint64_t>;
  // Tells what is going to happen, as far as the place in the source does not; with nullptr it only answers. False when
  // it would change nothing.
  using Describe = std::function<bool(Digest*)>;
  struct Entry {
    Kind kind;
    Party party;
    std::function<void()> act;
    Describe describe;
    std::source_location where;
  };

  int64_t now_ns() const { return now_ns_; }
  double now_s() const { return static_cast<double>(now_ns_) * 1e-9; }

  // What happens at one moment happens in the order in which it was told.
  void At(int64_t at_ns, Kind kind, Party party, std::function<void()> act, Describe describe = {},
          std::source_location where = std::source_location::current()) {
    if (at_ns <= now_ns_ && kind == Kind::kTimer) kind = Kind::kNow;
    entries_.emplace(Key(std::max(at_ns, now_ns_), next_++),
                     Entry{kind, party, std::move(act), std::move(describe), where});
  }
  void In(int64_t delay_ns, Kind kind, Party party, std::function<void()> act, Describe describe = {},
          std::source_location where = std::source_location::current()) {
    At(now_ns_ + delay_ns, kind, party, std::move(act), std::move(describe), where);
  }

  // Lets the first thing happen; false when there is none before `until_ns`, which then is now.
  bool RunNext(int64_t until_ns) {
    if (entries_.empty() || entries_.begin()->first.first > until_ns) {
      now_ns_ = until_ns;
      return false;
    }
    const Key key = entries_.begin()->first;
    now_ns_ = std::max(now_ns_, key.first);
    Run(key);
    return true;
  }

  // For whoever tries all orders. Run lets no time pass.
  const std::map<Key, Entry>& entries() const { return entries_; }
  void PassTime(int64_t until_ns) { now_ns_ = std::max(now_ns_, until_ns); }
  void Run(const Key& key) {
    auto entry = entries_.extract(key);
    entry.mapped().act();
  }
  void Drop(const Key& key) { entries_.erase(key); }

 private:
  std::map<Key, Entry> entries_;
  uint64_t next_ = 0;
  int64_t now_ns_ = 0;
};

}  // namespace fleetmark::simulation
