#pragma once

#include <cstdint>

namespace fleetmark {

// A bijection of 32 bits without visible structure (Wellons, "lowbias32"): a random number that needs nothing but its
// place, so that it is the same in any order, and vectorises.
inline uint32_t Scramble(uint32_t x) {
  x = (x ^ x >> 16) * 0x7feb352dU;
  x = (x ^ x >> 15) * 0x846ca68bU;
  return x ^ x >> 16;
}

}  // namespace fleetmark
