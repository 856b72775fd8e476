#include "agent/worker/data/synthetic.h"

#include <algorithm>
#include <array>
#include <random>
#include <vector>

#include "common/sha256.h"

namespace fleetmark {
namespace {

// mt19937 is the same everywhere, the standard's distributions are not; hence remainders.
class Generator {
 public:
  explicit Generator(uint32_t seed) : engine_(seed) {}
  uint32_t operator()() { return static_cast<uint32_t>(engine_()); }
  // From 0 to `end` - 1.
  uint32_t Below(uint32_t end) { return (*this)() % end; }

 private:
  std::mt19937 engine_;
};
using Pattern = std::vector<uint8_t>;  // channels x side x side
using Patterns = std::array<Pattern, kImageClasses>;

Pattern MakePattern(const SyntheticShape& shape, Generator* random) {
  constexpr int kStrokes = 5, kLength = 12;
  constexpr uint32_t kBright = 220, kDark = 60;
  const auto inner = static_cast<uint32_t>(shape.side - 12);
  Pattern pattern(static_cast<size_t>(shape.channels * shape.side * shape.side));
  std::vector<uint8_t> colour(static_cast<size_t>(shape.channels), kBright);
  if (shape.channels > 1) {
    for (uint8_t& strength : colour) strength = static_cast<uint8_t>(kDark + random->Below(kBright - kDark));
  }
  for (int stroke = 0; stroke < kStrokes; ++stroke) {
    int64_t row = 6 + random->Below(inner), column = 6 + random->Below(inner);
    const int64_t down = static_cast<int64_t>(random->Below(3)) - 1, right = down == 0 ? 1 : random->Below(2);
    for (int i = 0; i < kLength; ++i) {
      for (int64_t channel = 0; channel < shape.channels; ++channel) {
        pattern[static_cast<size_t>((channel * shape.side + row) * shape.side + column)] =
            colour[static_cast<size_t>(channel)];
      }
      row = std::clamp<int64_t>(row + down, 3, shape.side - 4);
      column = std::clamp<int64_t>(column + right, 3, shape.side - 4);
    }
  }
  return pattern;
}

// Appends one plane of `pattern`, moved, under noise.
void AppendPlane(const uint8_t* pattern, int64_t side, int64_t down, int64_t right, Generator* random,
                 std::string* pixels) {
  uint32_t bits = 0;
  for (int64_t pixel = 0; pixel < side * side; ++pixel) {
    if (pixel % 4 == 0) bits = (*random)();
    const uint32_t noise = (bits >> (8 * (pixel % 4)) & 0xff) / 4;
    const int64_t row = std::clamp<int64_t>(pixel / side - down, 0, side - 1);
    const int64_t column = std::clamp<int64_t>(pixel % side - right, 0, side - 1);
    *pixels += static_cast<char>(std::min<uint32_t>(pattern[row * side + column] + noise, 255));
  }
}

LabelledImages MakeImages(const SyntheticShape& shape, int64_t count, const Patterns& patterns, Generator* random) {
  LabelledImages images = {.channels = shape.channels, .side = shape.side, .count = count, .pixels = {}, .labels = {}};
  images.pixels.reserve(static_cast<size_t>(count * shape.channels * shape.side * shape.side));
  for (int64_t image = 0; image < count; ++image) {
    const uint32_t label = random->Below(kImageClasses);
    const int64_t down = static_cast<int64_t>(random->Below(5)) - 2, right = static_cast<int64_t>(random->Below(5)) - 2;
    images.labels += static_cast<char>(label);
    for (int64_t channel = 0; channel < shape.channels; ++channel) {
      const uint8_t* const plane = patterns[label].data() + channel * shape.side * shape.side;
      AppendPlane(plane, shape.side, down, right, random, &images.pixels);
    }
  }
  return images;
}

}  // namespace

ImageDataset MakeSyntheticImages(const SyntheticShape& shape, uint32_t seed) {
  Generator random(seed);
  Patterns patterns;
  for (Pattern& pattern : patterns) pattern = MakePattern(shape, &random);
  ImageDataset data;
  data.name = "synthetic";
  data.train = MakeImages(shape, shape.train, patterns, &random);
  data.test = MakeImages(shape, shape.test, patterns, &random);
  Sha256 hash;
  for (const LabelledImages* images : {&data.train, &data.test}) {
    hash.Update(images->pixels);
    hash.Update(images->labels);
  }
  data.sha256 = hash.HexDigest();
  return data;
}

}  // namespace fleetmark
