#include <cmath>
#include <numbers>

#include "agent/worker/data/image_source.h"
#include "agent/worker/scramble.h"
#include "common/sha256.h"

namespace fleetmark {
namespace {

class SyntheticSource : public ImageSource {
 public:
  SyntheticSource(int64_t count, int side, int64_t classes, uint32_t seed)
      : count_(count), side_(side), classes_(classes), seed_(seed) {}

  int64_t size() const override { return count_; }
  int64_t Label(int64_t index) const override { return Scramble(Key(index)) % classes_; }
  std::string data_name() const override { return "synthetic"; }
  std::string sha256() const override {
    return Sha256Hex("gratings " + std::to_string(count_) + " " + std::to_string(side_) + " " +
                     std::to_string(classes_) + " " + std::to_string(seed_));
  }

  StatusOr<ColourImage> Read(int64_t index) const override {
    constexpr double kPeriods = 8;
    constexpr int kMiddle = 96, kNoise = 64;
    ColourImage image = {side_, side_, std::vector<uint8_t>(static_cast<size_t>(side_) * side_ * 3)};
    uint32_t random = Scramble(Key(index) ^ 0x5bd1e995U);
    const auto label = static_cast<double>(Label(index));
    const double angle = std::numbers::pi * label / static_cast<double>(classes_);
    const double frequency = 2 * std::numbers::pi * kPeriods / side_;
    const double phase = 2 * std::numbers::pi * (random % 1024) / 1024.0;
    // A sine a pixel would be most of the work: it rotates on by two multiplications instead.
    const double step_real = std::cos(frequency * std::cos(angle)),
                 step_imaginary = std::sin(frequency * std::cos(angle));
    size_t at = 0;
    for (int row = 0; row < side_; ++row) {
      double real = std::cos(phase + frequency * std::sin(angle) * row),
             imaginary = std::sin(phase + frequency * std::sin(angle) * row);
      for (int column = 0; column < side_; ++column) {
        random = random * 1664525U + 1013904223U;
        for (int colour = 0; colour < 3; ++colour) {
          const double strength = colour == static_cast<int>(label) % 3 ? 60 : 30;
          const auto noise = static_cast<int>(random >> (8 * (colour + 1)) & (kNoise - 1));
          image.pixels[at++] = static_cast<uint8_t>(kMiddle + static_cast<int>(strength * imaginary) + noise);
        }
        const double turned = real * step_real - imaginary * step_imaginary;
        imaginary = real * step_imaginary + imaginary * step_real;
        real = turned;
      }
    }
    return image;
  }

 private:
  uint32_t Key(int64_t index) const { return Scramble(seed_ + 0x9e3779b9U * static_cast<uint32_t>(index)); }

  const int64_t count_;
  const int side_;
  const int64_t classes_;
  const uint32_t seed_;
};

}  // namespace

std::unique_ptr<ImageSource> MakeSyntheticSource(int64_t count, int side, int64_t classes, uint32_t seed) {
  return std::make_unique<SyntheticSource>(count, side, classes, seed);
}

}  // namespace fleetmark
