#pragma once

#include <string>
#include <vector>

#include "fleetmark/v1/run.pb.h"

namespace fleetmark {

// What became of one sensor over a run: what it said last, and what was the matter before, so that one that failed for
// a while and came back does not pass for one that was fine. Times are seconds since the run's start. Bounded, however
// long the run. Not thread-safe.
class SensorStory {
 public:
  // What it said at a reading that began `at_s`; readings come in the order of time.
  void Take(double at_s, v1::Sensor said);
  // The reading that was taken last kept everybody waiting for `took_s`: its points are missing.
  void Slow(double at_s, double took_s);

  // As it was taken last; without a state before the first.
  const v1::Sensor& last() const { return last_; }

  // The state that it ended in. `why` is what it said last, with "since 30.2 s: " in front where it ended not ok and
  // had been otherwise; behind that each other trouble that it had, "failed in 3 of 240 readings, from 12.0 s to
  // 14.0 s: ...", with the sentence that was said of it last. Empty for one that was ok throughout and said no more.
  v1::Sensor Tell() const;

 private:
  // Readings of one kind.
  struct Spell {
    std::string word;  // the state, or "slow"
    std::string why;   // of the last of them
    int count = 0;
    double first_s = 0;
    double last_s = 0;
  };
  void Remember(const Spell& spell);

  v1::Sensor last_;
  int readings_ = 0;
  bool has_changed_ = false;
  Spell now_;                    // of the state that it has, since it has it without a break
  std::vector<Spell> troubles_;  // what is over, one of each word
};

}  // namespace fleetmark
