#include "agent/worker/data/batch_loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <numeric>

#include "agent/worker/data/augment.h"
#include "agent/worker/failure.h"

namespace fleetmark {
namespace {

using testing::ElementsAre;

// Images of one pixel whose red is their number; some of them broken.
class FakeSource : public ImageSource {
 public:
  explicit FakeSource(int64_t count, std::set<int64_t> broken = {}) : count_(count), broken_(std::move(broken)) {}

  int64_t size() const override { return count_; }
  int64_t Label(int64_t index) const override { return index; }
  StatusOr<ColourImage> Read(int64_t index) const override {
    ++reads;
    if (broken_.contains(index)) return DataCorrupt(std::to_string(index) + " is broken");
    return ColourImage{1, 1, {static_cast<uint8_t>(index), 0, 0}};
  }
  std::string data_name() const override { return "fake"; }
  std::string sha256() const override { return ""; }

  mutable std::atomic<int> reads = 0;

 private:
  const int64_t count_;
  const std::set<int64_t> broken_;
};

std::vector<int64_t> FirstIndices(int64_t count) {
  std::vector<int64_t> indices(static_cast<size_t>(count));
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

BatchLoader::Options Plain(int64_t batch, int threads) {
  return {.batch = batch, .side = 1, .threads = threads, .prefetch = 3, .augment = false, .seed = 1};
}

TEST(BatchLoader, DeliversInOrderEpochAfterEpochWhateverTheThreads) {
  const FakeSource source(7);
  for (const int threads : {1, 4}) {
    BatchLoader loader(source, FirstIndices(7), Plain(3, threads));
    EXPECT_EQ(loader.batches_per_epoch(), 2) << "the seventh image makes no full batch";
    for (int epoch = 0; epoch < 20; ++epoch) {
      EXPECT_THAT(loader.Next()->labels, ElementsAre(0, 1, 2));
      EXPECT_THAT(loader.Next()->labels, ElementsAre(3, 4, 5));
    }
  }
}

TEST(BatchLoader, ShufflesEachEpochAnewAndTheSameForTheSameSeed) {
  const FakeSource source(64);
  const auto epochs = [&source](uint32_t seed, int threads) {
    BatchLoader::Options options = Plain(64, threads);
    options.augment = true;
    options.seed = seed;
    BatchLoader loader(source, FirstIndices(64), options);
    return std::pair(loader.Next()->labels, loader.Next()->labels);
  };
  const auto [first, second] = epochs(1, 1);
  EXPECT_NE(first, second);
  EXPECT_THAT(first, testing::UnorderedElementsAreArray(second));
  EXPECT_EQ(epochs(1, 3), std::pair(first, second));
  EXPECT_NE(epochs(2, 1).first, first);
}

TEST(BatchLoader, ReadsNoFurtherAheadThanToldTo) {
  const FakeSource source(100000);
  constexpr int kReads = (1 + 3) * 10;
  {
    BatchLoader loader(source, FirstIndices(100000), Plain(10, 4));
    ASSERT_TRUE(loader.Next().ok());
    while (source.reads < kReads) std::this_thread::yield();
  }
  EXPECT_EQ(source.reads, kReads);
}

TEST(BatchLoader, ABrokenImageIsCountedOnceAndTheNextTakesItsPlace) {
  const FakeSource source(6, {1, 5});
  BatchLoader loader(source, FirstIndices(6), Plain(3, 2));
  for (int epoch = 0; epoch < 3; ++epoch) {
    EXPECT_THAT(loader.Next()->labels, ElementsAre(0, 2, 2));
    EXPECT_THAT(loader.Next()->labels, ElementsAre(3, 4, 0));
  }
  EXPECT_EQ(loader.broken(), 2);
  EXPECT_THAT(loader.broken_examples(), testing::UnorderedElementsAre("1 is broken", "5 is broken"));
}

TEST(BatchLoader, WhereNothingCanBeReadItSaysSo) {
  const FakeSource source(2, {0, 1});
  BatchLoader loader(source, FirstIndices(2), Plain(1, 2));
  const Status status = loader.Next().status();
  EXPECT_EQ(status.kind(), "data_corrupt");
  EXPECT_EQ(status.message().find("none of the 2 images can be read"), 0u) << status.message();
}

TEST(PlaceImage, WithoutPlacementAnImageOfTheSameSizeStaysAsItIs) {
  ColourImage image = {4, 4, {}};
  for (int i = 0; i < 48; ++i) image.pixels.push_back(static_cast<uint8_t>(5 * i));
  std::vector<float> pixels(48);
  PlaceImage(image, {}, 4, pixels.data());
  for (size_t i = 0; i < 48; ++i) EXPECT_NEAR(pixels[i], image.pixels[i] / 255.0, 1e-6) << i;
  std::vector<float> mirrored(48);
  PlaceImage(image, {.mirrored = true}, 4, mirrored.data());
  EXPECT_NEAR(mirrored[0], image.pixels[9] / 255.0, 1e-6) << "the first pixel is the row's last";
}

TEST(PlaceImage, ScalesTurnsAndMoves) {
  // Left half black, right half white, 8 x 8, shown on 4 x 4.
  ColourImage image = {8, 8, std::vector<uint8_t>(8 * 8 * 3)};
  for (size_t pixel = 0; pixel < 64; ++pixel) {
    for (size_t colour = 0; colour < 3; ++colour) image.pixels[3 * pixel + colour] = pixel % 8 < 4 ? 0 : 255;
  }
  std::vector<float> pixels(48);
  const auto red = [&](int row, int column) { return pixels[static_cast<size_t>(3 * (4 * row + column))]; };
  PlaceImage(image, {}, 4, pixels.data());
  EXPECT_EQ(red(1, 0), 0);
  EXPECT_EQ(red(1, 3), 1);
  PlaceImage(image, {.angle = std::numbers::pi / 2}, 4, pixels.data());
  EXPECT_EQ(red(0, 1), red(0, 2)) << "the halves lie above each other now";
  EXPECT_NE(red(0, 1), red(3, 1));
  PlaceImage(image, {.right = 0.5}, 4, pixels.data());
  EXPECT_EQ(red(1, 1), 1) << "what was on the right is in the middle";
}

TEST(Placement, StaysWithinItsBoundsAndFollowsTheKey) {
  bool any_mirrored = false;
  for (uint32_t key = 0; key < 1000; ++key) {
    const Placement placement = Placement::Random(key);
    any_mirrored |= placement.mirrored;
    EXPECT_LE(std::abs(placement.angle), 0.4364);
    EXPECT_LE(std::abs(placement.right), 0.1);
    EXPECT_NEAR(placement.zoom_x, 1, 0.2);
  }
  EXPECT_TRUE(any_mirrored);
  EXPECT_EQ(Placement::Random(5).angle, Placement::Random(5).angle);
  EXPECT_NE(Placement::Random(5).angle, Placement::Random(6).angle);
}

TEST(SyntheticSource, IsTheSameForTheSameSeedAndHasEveryClass) {
  const auto source = MakeSyntheticSource(100, 32, 4, 1), same = MakeSyntheticSource(100, 32, 4, 1);
  std::set<int64_t> labels;
  for (int64_t i = 0; i < source->size(); ++i) {
    labels.insert(source->Label(i));
    EXPECT_EQ(source->Read(i)->pixels, same->Read(i)->pixels);
  }
  EXPECT_THAT(labels, ElementsAre(0, 1, 2, 3));
  EXPECT_NE(source->Read(0)->pixels, MakeSyntheticSource(100, 32, 4, 2)->Read(0)->pixels);
  EXPECT_NE(source->sha256(), MakeSyntheticSource(100, 32, 4, 2)->sha256());
}

}  // namespace
}  // namespace fleetmark
