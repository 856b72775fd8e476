#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace fleetmark {

// SplitMix64's last step: each bit of the result depends on each of `bits`.
inline uint64_t Scramble(uint64_t bits) {
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111eb;
  return bits ^ (bits >> 31);
}

// SplitMix64. Its state only counts, so a seed is scrambled first: else the traces of two seeds would be parts of one.
class Noise {
 public:
  explicit Noise(uint64_t seed) : state_(seed) { state_ = Bits(); }
  double Uniform() { return static_cast<double>((Bits() >> 11) + 1) * 0x1p-53; }  // above 0, up to 1
  double Normal() { return std::sqrt(-2 * std::log(Uniform())) * std::cos(2 * std::numbers::pi * Uniform()); }

 private:
  uint64_t Bits() {
    state_ += 0x9e3779b97f4a7c15;
    return Scramble(state_);
  }

  uint64_t state_;
};

}  // namespace fleetmark
