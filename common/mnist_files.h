#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace fleetmark {

// The four IDX files of MNIST (LeCun, Cortes, Burges), unpacked. `fleetmark-agent data add mnist` verifies them, the
// worker finds them in DATASET_DIR/mnist and says whether the data it used is this.
struct MnistFile {
  std::string_view name;
  size_t bytes;
  std::string_view sha256;
};
inline constexpr std::string_view kMnistDirectory = "mnist";
inline constexpr std::array<MnistFile, 4> kMnistFiles = {{
    {"train-images-idx3-ubyte", 47'040'016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
    {"train-labels-idx1-ubyte", 60'008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"},
    {"t10k-images-idx3-ubyte", 7'840'016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"},
    {"t10k-labels-idx1-ubyte", 10'008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"},
}};

}  // namespace fleetmark
