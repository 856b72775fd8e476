#include "agent/worker/data/synthetic.h"

#include <algorithm>
#include <array>
#include <random>

#include "common/sha256.h"

namespace fleetmark {
namespace {

constexpr int64_t kTrainImages = 6400;
constexpr int64_t kTestImages = 1000;
constexpr int64_t kSide = LabelledImages::kSide;

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
using Pattern = std::array<uint8_t, LabelledImages::kPixels>;

Pattern MakePattern(Generator* random) {
  constexpr int kStrokes = 5, kLength = 12;
  Pattern pattern{};
  for (int stroke = 0; stroke < kStrokes; ++stroke) {
    int64_t row = 6 + random->Below(16), column = 6 + random->Below(16);
    const int64_t down = static_cast<int64_t>(random->Below(3)) - 1, right = down == 0 ? 1 : random->Below(2);
    for (int i = 0; i < kLength; ++i) {
      pattern[static_cast<size_t>(row * kSide + column)] = 220;
      row = std::clamp<int64_t>(row + down, 3, kSide - 4);
      column = std::clamp<int64_t>(column + right, 3, kSide - 4);
    }
  }
  return pattern;
}

LabelledImages MakeImages(int64_t count, const std::array<Pattern, LabelledImages::kClasses>& patterns,
                          Generator* random) {
  LabelledImages images;
  images.count = count;
  for (int64_t image = 0; image < count; ++image) {
    const uint32_t label = random->Below(LabelledImages::kClasses);
    const int64_t down = static_cast<int64_t>(random->Below(5)) - 2, right = static_cast<int64_t>(random->Below(5)) - 2;
    images.labels += static_cast<char>(label);
    uint32_t bits = 0;
    for (int64_t pixel = 0; pixel < LabelledImages::kPixels; ++pixel) {
      if (pixel % 4 == 0) bits = (*random)();
      const uint32_t noise = (bits >> (8 * (pixel % 4)) & 0xff) / 4;
      const int64_t row = std::clamp<int64_t>(pixel / kSide - down, 0, kSide - 1);
      const int64_t column = std::clamp<int64_t>(pixel % kSide - right, 0, kSide - 1);
      const uint32_t stroke = patterns[label][static_cast<size_t>(row * kSide + column)];
      images.pixels += static_cast<char>(std::min<uint32_t>(stroke + noise, 255));
    }
  }
  return images;
}

}  // namespace

ImageDataset MakeSyntheticImages(uint32_t seed) {
  Generator random(seed);
  std::array<Pattern, LabelledImages::kClasses> patterns;
  for (Pattern& pattern : patterns) pattern = MakePattern(&random);
  ImageDataset data;
  data.name = "synthetic";
  data.train = MakeImages(kTrainImages, patterns, &random);
  data.test = MakeImages(kTestImages, patterns, &random);
  Sha256 hash;
  for (const LabelledImages* images : {&data.train, &data.test}) {
    hash.Update(images->pixels);
    hash.Update(images->labels);
  }
  data.sha256 = hash.HexDigest();
  return data;
}

}  // namespace fleetmark
