#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <vector>

// Step times made by seed, the same with every library, with a truth that is known.
namespace fleetmark {

// SplitMix64. Its state only counts, so a seed is scrambled first: else the traces of two seeds would be parts of one.
class Noise {
 public:
  explicit Noise(uint64_t seed) : state_(seed) { state_ = Bits(); }
  double Uniform() { return static_cast<double>((Bits() >> 11) + 1) * 0x1p-53; }  // above 0, up to 1
  double Normal() { return std::sqrt(-2 * std::log(Uniform())) * std::cos(2 * std::numbers::pi * Uniform()); }

 private:
  uint64_t Bits() {
    state_ += 0x9e3779b97f4a7c15;
    uint64_t bits = (state_ ^ (state_ >> 30)) * 0xbf58476d1ce4e5b9;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111eb;
    return bits ^ (bits >> 31);
  }

  uint64_t state_;
};

// An autoregression of first order from its stationary distribution on, with mean `mean` and standard deviation `sd`.
inline std::vector<double> Autoregression(uint64_t seed, size_t n, double phi, double mean, double sd) {
  Noise noise(seed);
  std::vector<double> values;
  values.reserve(n);
  double state = noise.Normal();
  for (size_t i = 0; i < n; ++i) {
    values.push_back(mean + sd * state);
    state = phi * state + std::sqrt(1 - phi * phi) * noise.Normal();
  }
  return values;
}

// How many traces a property is tried on: without optimisation, and with a sanitizer, a tenth must do.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kIsSanitized = true;
#else
inline constexpr bool kIsSanitized = false;
#endif
constexpr int Traces(int count) { return kIsSanitized ? count / 10 : count; }

}  // namespace fleetmark
