#pragma once

#include <cstdint>
#include <string>

namespace fleetmark {

// Square images of bytes and the class of each. An image is its channels one after the other, each row by row.
struct LabelledImages {
  int64_t channels = 1;
  int64_t side = 28;
  int64_t count = 0;
  std::string pixels;  // count x channels x side x side
  std::string labels;  // count; from 0
};

// Drops all but the first `count`, of which there are so many.
inline void KeepFirst(int64_t count, LabelledImages* images) {
  images->count = count;
  images->pixels.resize(static_cast<size_t>(count * images->channels * images->side * images->side));
  images->labels.resize(static_cast<size_t>(count));
}

// Of both data sets that we know.
inline constexpr int64_t kImageClasses = 10;

struct ImageDataset {
  std::string name;    // which data this is
  std::string sha256;  // of all of it
  LabelledImages train;
  LabelledImages test;
};

}  // namespace fleetmark
