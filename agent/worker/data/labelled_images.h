#pragma once

#include <cstdint>
#include <string>

namespace fleetmark {

// Grey images of 28 x 28 bytes, one after the other, and the class of each (0 to 9).
struct LabelledImages {
  static constexpr int64_t kSide = 28;
  static constexpr int64_t kPixels = kSide * kSide;
  static constexpr int64_t kClasses = 10;

  int64_t count = 0;
  std::string pixels;  // count x 28 x 28
  std::string labels;  // count
};

struct ImageDataset {
  std::string name;    // which data this is
  std::string sha256;  // of all of it
  LabelledImages train;
  LabelledImages test;
};

}  // namespace fleetmark
