#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace fleetmark {

// The worker's form of run.proto's Ceiling.
struct Ceiling {
  std::string resource;  // kMemoryResource or kArithmeticResource
  std::string dtype;     // of arithmetic; "" for memory
  double rate = 0;       // B/s, or FLOP/s
  double measured_unix_s = 0;
};

// What the run's device was seen to reach at best: what the agent kept, and what this run finds out anew.
class KnownCeilings {
 public:
  explicit KnownCeilings(std::vector<Ceiling> kept = {}) : known_(std::move(kept)) {}

  // The rate of the ceiling to compare a run's own `rate` with. It is measured only where none is kept, or where `rate`
  // passes it: machines are noisy, and a ceiling that was measured in a bad minute must not make an honest result look
  // impossible. A few times at most, until one is no less than `rate`; the best counts. Throws what `measure` throws,
  // and RunFailure when that finds no rate.
  double Of(const std::string& resource, const std::string& dtype, double rate, const std::function<double()>& measure);

  // What Of answered with, in order.
  const std::vector<Ceiling>& compared() const { return compared_; }

 private:
  std::vector<Ceiling> known_;
  std::vector<Ceiling> compared_;
};

}  // namespace fleetmark
