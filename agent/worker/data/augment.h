#pragma once

#include <cstdint>

#include "agent/worker/data/image_source.h"

namespace fleetmark {

// How an image is brought onto a square: mirrored, turned by up to 25 degrees, moved by up to a tenth, zoomed by up to
// a fifth, as Keras's ImageDataGenerator does it in one affine map with bilinear sampling; or only scaled to fit.
struct Placement {
  bool mirrored = false;
  double angle = 0;               // radians
  double right = 0, down = 0;     // as shares of the side
  double zoom_x = 1, zoom_y = 1;  // above 1 shows more of the image

  // Drawn from `key`; the same key gives the same.
  static Placement Random(uint32_t key);
};

// Writes `image`, placed, as `side` x `side` x 3 numbers from 0 to 1. What lies outside shows the nearest edge.
void PlaceImage(const ColourImage& image, const Placement& placement, int side, float* pixels);

}  // namespace fleetmark
