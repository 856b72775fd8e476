#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/status.h"

namespace fleetmark {

struct ColourImage {
  int width = 0;
  int height = 0;
  std::vector<uint8_t> pixels;  // height x width x 3: red, green, blue
};

// Colour images of any size, each of one class. Every function may be called from several threads at once.
class ImageSource {
 public:
  virtual ~ImageSource() = default;

  virtual int64_t size() const = 0;
  virtual int64_t Label(int64_t index) const = 0;
  // Fails with "data_corrupt", naming the image, where it cannot be read.
  virtual StatusOr<ColourImage> Read(int64_t index) const = 0;

  virtual std::string data_name() const = 0;
  virtual std::string sha256() const = 0;
};

// `count` images of `side` x `side` in `classes` classes, made when they are read: the same for the same seed on every
// machine. A class is a grating of its own direction and colour, each image of it with another phase, under noise.
std::unique_ptr<ImageSource> MakeSyntheticSource(int64_t count, int side, int64_t classes, uint32_t seed);

// Every .jpg, .jpeg and .png of `directory`'s sub-directories, each of which is a class, in the order of their names.
// Fails with "data_missing" where there are no images or fewer than two classes, and with "bad_parameter" where there
// are more than `most_classes`. The hash is of names and sizes: the images themselves are read while training.
StatusOr<std::unique_ptr<ImageSource>> OpenImageFolder(const std::string& directory, int64_t most_classes);

}  // namespace fleetmark
