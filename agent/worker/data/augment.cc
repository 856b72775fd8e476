#include "agent/worker/data/augment.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "agent/worker/scramble.h"

namespace fleetmark {

Placement Placement::Random(uint32_t key) {
  constexpr double kMostTurn = 25 * std::numbers::pi / 180, kMostShift = 0.1, kMostZoom = 0.2;
  uint32_t draws = 0;
  // From -1 to 1.
  const auto draw = [&] { return Scramble(key ^ Scramble(++draws)) / 2147483648.0 - 1; };
  Placement placement;
  placement.mirrored = draw() < 0;
  placement.angle = kMostTurn * draw();
  placement.right = kMostShift * draw();
  placement.down = kMostShift * draw();
  placement.zoom_x = 1 + kMostZoom * draw();
  placement.zoom_y = 1 + kMostZoom * draw();
  return placement;
}

void PlaceImage(const ColourImage& image, const Placement& placement, int side, float* pixels) {
  constexpr float kLargestByte = 255;
  const double middle = (side - 1) / 2.0;
  const double scale_x = placement.zoom_x * image.width / side * (placement.mirrored ? -1 : 1);
  const double scale_y = placement.zoom_y * image.height / side;
  const double cosine = std::cos(placement.angle), sine = std::sin(placement.angle);
  const double middle_x = (image.width - 1) / 2.0 + placement.right * image.width;
  const double middle_y = (image.height - 1) / 2.0 + placement.down * image.height;
  const auto largest_x = static_cast<float>(image.width - 1), largest_y = static_cast<float>(image.height - 1);
  // Where one pixel to the right in the result is in the image.
  const auto step_x = static_cast<float>(scale_x * cosine), step_y = static_cast<float>(scale_y * sine);
  for (int row = 0; row < side; ++row) {
    const double down = row - middle;
    const auto start_x = static_cast<float>(middle_x - scale_x * (cosine * middle + sine * down));
    const auto start_y = static_cast<float>(middle_y + scale_y * (cosine * down - sine * middle));
    for (int column = 0; column < side; ++column) {
      const float x = std::clamp(start_x + step_x * static_cast<float>(column), 0.0F, largest_x);
      const float y = std::clamp(start_y + step_y * static_cast<float>(column), 0.0F, largest_y);
      const int left = static_cast<int>(x), top = static_cast<int>(y);
      const float right_share = x - static_cast<float>(left), lower_share = y - static_cast<float>(top);
      const int right = std::min(left + 1, image.width - 1), bottom = std::min(top + 1, image.height - 1);
      const auto at = [&](int line, int place) {
        return image.pixels.data() +
               3 * (static_cast<size_t>(line) * static_cast<size_t>(image.width) + static_cast<size_t>(place));
      };
      const uint8_t *top_left = at(top, left), *top_right = at(top, right);
      const uint8_t *bottom_left = at(bottom, left), *bottom_right = at(bottom, right);
      for (int colour = 0; colour < 3; ++colour) {
        const float upper = top_left[colour] * (1 - right_share) + top_right[colour] * right_share;
        const float lower = bottom_left[colour] * (1 - right_share) + bottom_right[colour] * right_share;
        *pixels++ = (upper * (1 - lower_share) + lower * lower_share) / kLargestByte;
      }
    }
  }
}

}  // namespace fleetmark
