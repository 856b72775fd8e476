#pragma once

#include <string>
#include <vector>

namespace fleetmark {

// A stretch of numbers with round places on it to write down.
struct Axis {
  double low = 0;             // at or below all values
  double high = 1;            // at or above all values, and above `low`
  std::vector<double> ticks;  // ascending, within [low, high]
  int decimals = 0;           // that the ticks need

  std::string Text(double tick) const;
  // 0 at `low`, 1 at `high`.
  double Place(double value) const { return (value - low) / (high - low); }
};

// An axis for values from `low` to `high`, both finite, with about `count` ticks at multiples of 1, 2 or 5 times a
// power of ten, at least `least_step` apart. `widens`: it goes on to the next round number on both sides.
Axis MakeAxis(double low, double high, int count, double least_step, bool widens);

}  // namespace fleetmark
