#pragma once

#include <cstdint>

#include "agent/worker/data/labelled_images.h"

namespace fleetmark {

struct SyntheticShape {
  int64_t channels;
  int64_t side;
  int64_t train;  // images
  int64_t test;
};

// Images that stand in for a data set that is not at hand: each class is a pattern of strokes, in colours of its own
// where there are several channels, each image that pattern moved by up to two pixels, under noise. The same bytes for
// the same seed on every machine, and learned within a few thousand images.
ImageDataset MakeSyntheticImages(const SyntheticShape& shape, uint32_t seed);

}  // namespace fleetmark
