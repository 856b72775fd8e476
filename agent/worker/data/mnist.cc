#include "agent/worker/data/mnist.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "agent/worker/data/idx.h"
#include "agent/worker/failure.h"
#include "common/mnist_files.h"
#include "common/sha256.h"

namespace fleetmark {
namespace {

namespace fs = std::filesystem;

// With the directory: the agent's default may be another one.
std::string MissingHint(const fs::path& dataset_dir) {
  return "fleetmark-agent data add mnist --dataset-dir " + dataset_dir.string() + ", or take data=synthetic";
}

// "train-images-idx3-ubyte" is also distributed as "train-images.idx3-ubyte".
std::string DottedName(std::string_view name) {
  std::string dotted(name);
  dotted[dotted.find("-idx")] = '.';
  return dotted;
}

StatusOr<fs::path> FindFile(const fs::path& directory, std::string_view name) {
  for (const std::string& candidate : {std::string(name), DottedName(name)}) {
    for (const char* extension : {"", ".gz"}) {
      const fs::path path = directory / (candidate + extension);
      std::error_code error;
      if (fs::exists(path, error)) return path;
    }
  }
  return DataMissing("MNIST is not complete: " + (directory / name).string() + " is not there",
                     MissingHint(directory.parent_path()));
}

StatusOr<LabelledImages> Combine(const fs::path& images_path, IdxArray images, const fs::path& labels_path,
                                 IdxArray labels) {
  constexpr int64_t kSide = LabelledImages{}.side;
  if (images.shape[1] != kSide || images.shape[2] != kSide) {
    return DataCorrupt(images_path.string() + " holds images of " + std::to_string(images.shape[1]) + " x " +
                       std::to_string(images.shape[2]) + " pixels, not 28 x 28");
  }
  if (images.shape[0] != labels.shape[0] || images.shape[0] == 0) {
    return DataCorrupt(images_path.string() + " holds " + std::to_string(images.shape[0]) + " images and " +
                       labels_path.string() + " " + std::to_string(labels.shape[0]) + " labels");
  }
  const auto wrong = std::find_if(labels.elements.begin(), labels.elements.end(),
                                  [](char label) { return static_cast<unsigned char>(label) >= kImageClasses; });
  if (wrong != labels.elements.end()) {
    return DataCorrupt(labels_path.string() + " is corrupt: label " +
                       std::to_string(static_cast<unsigned char>(*wrong)) + " is not a digit");
  }
  return LabelledImages{
      .count = images.shape[0], .pixels = std::move(images.elements), .labels = std::move(labels.elements)};
}

}  // namespace

StatusOr<ImageDataset> LoadMnist(const std::string& dataset_dir) {
  if (dataset_dir.empty())
    return DataMissing("there is no dataset directory to find MNIST in",
                       "fleetmark-agent data add mnist, or take data=synthetic");
  const fs::path directory = fs::path(dataset_dir) / kMnistDirectory;
  std::array<fs::path, 4> paths;
  std::array<IdxArray, 4> arrays;
  std::string hashes;
  bool published = true;
  for (size_t i = 0; i < kMnistFiles.size(); ++i) {
    const size_t rank = i % 2 == 0 ? 3 : 1;  // images, labels, images, labels
    FLEETMARK_ASSIGN_OR_RETURN(paths[i], FindFile(directory, kMnistFiles[i].name));
    FLEETMARK_ASSIGN_OR_RETURN(arrays[i], ReadIdx(paths[i], rank));
    hashes += arrays[i].sha256;
    published = published && arrays[i].sha256 == kMnistFiles[i].sha256;
  }
  ImageDataset data;
  data.name = published ? "mnist" : "mnist-like";
  data.sha256 = Sha256Hex(hashes);
  FLEETMARK_ASSIGN_OR_RETURN(data.train, Combine(paths[0], std::move(arrays[0]), paths[1], std::move(arrays[1])));
  FLEETMARK_ASSIGN_OR_RETURN(data.test, Combine(paths[2], std::move(arrays[2]), paths[3], std::move(arrays[3])));
  return data;
}

}  // namespace fleetmark
