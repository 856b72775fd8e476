#pragma once

#include <cstdint>

#include "agent/worker/data/labelled_images.h"

namespace fleetmark {

// Images that stand in for MNIST where it is not at hand: each class is a pattern of strokes, each image that pattern
// moved by up to two pixels, under noise. The same bytes for the same seed on every machine, and learned within one
// epoch. 6,400 images to train on and 1,000 to test.
ImageDataset MakeSyntheticImages(uint32_t seed);

}  // namespace fleetmark
