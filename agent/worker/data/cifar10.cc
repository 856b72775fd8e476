#include "agent/worker/data/cifar10.h"

#include <filesystem>

#include "agent/worker/data/synthetic.h"
#include "agent/worker/data/whole_file.h"
#include "agent/worker/failure.h"
#include "common/sha256.h"

namespace fleetmark {
namespace {

namespace fs = std::filesystem;

constexpr char kCifar10Directory[] = "cifar-10-batches-bin";
constexpr int64_t kCifar10Side = 32, kCifar10Channels = 3;
constexpr size_t kImageBytes = kCifar10Channels * kCifar10Side * kCifar10Side, kRecordBytes = 1 + kImageBytes;
constexpr int64_t kTrainImages = 50000, kTestImages = 10000;
constexpr char kCifar10Hint[] = "put CIFAR-10's six files of the binary version there, or take data=synthetic";

// A record is the class, then the image.
Status Append(const fs::path& path, Sha256* hash, LabelledImages* images) {
  std::error_code error;
  if (!fs::exists(path, error)) {
    return DataMissing("CIFAR-10 is not complete: " + path.string() + " is not there", kCifar10Hint);
  }
  FLEETMARK_ASSIGN_OR_RETURN(const std::string bytes, ReadWholeFile(path));
  if (bytes.empty() || bytes.size() % kRecordBytes != 0) {
    return DataCorrupt(path.string() + " has " + std::to_string(bytes.size()) + " bytes, which are no images of " +
                       std::to_string(kRecordBytes) + " bytes");
  }
  hash->Update(bytes);
  for (size_t at = 0; at < bytes.size(); at += kRecordBytes) {
    const auto label = static_cast<unsigned char>(bytes[at]);
    if (label >= kImageClasses) {
      return DataCorrupt(path.string() + " is corrupt: image " + std::to_string(at / kRecordBytes) + " is of class " +
                         std::to_string(label) + ", and there are " + std::to_string(kImageClasses));
    }
    images->labels += bytes[at];
    images->pixels.append(bytes, at + 1, kImageBytes);
  }
  images->count += static_cast<int64_t>(bytes.size() / kRecordBytes);
  return OkStatus();
}

}  // namespace

StatusOr<ImageDataset> LoadCifar10(const std::string& dataset_dir) {
  if (dataset_dir.empty()) return DataMissing("there is no dataset directory to find CIFAR-10 in", kCifar10Hint);
  const fs::path directory = fs::path(dataset_dir) / kCifar10Directory;
  ImageDataset data;
  data.train = data.test = {.channels = kCifar10Channels, .side = kCifar10Side};
  Sha256 hash;
  for (int i = 1; i <= 5; ++i) {
    const fs::path path = directory / ("data_batch_" + std::to_string(i) + ".bin");
    FLEETMARK_RETURN_IF_ERROR(Append(path, &hash, &data.train));
  }
  FLEETMARK_RETURN_IF_ERROR(Append(directory / "test_batch.bin", &hash, &data.test));
  const bool is_whole = data.train.count == kTrainImages && data.test.count == kTestImages;
  data.name = is_whole ? "cifar10" : "cifar10-like";
  data.sha256 = hash.HexDigest();
  return data;
}

StatusOr<ImageDataset> LoadCifarData(const Parameters& parameters, const std::string& dataset_dir, int64_t train,
                                     int64_t test) {
  if (parameters.Text("data") == "synthetic") {
    return MakeSyntheticImages({.channels = kCifar10Channels, .side = kCifar10Side, .train = train, .test = test},
                               static_cast<uint32_t>(parameters.Int("seed")));
  }
  FLEETMARK_ASSIGN_OR_RETURN(ImageDataset data, LoadCifar10(dataset_dir));
  if (data.train.count < train) {
    return BadParameter(
        std::to_string(train) + " images are asked for, and CIFAR-10 has " + std::to_string(data.train.count),
        "set batch or batches lower, or take data=synthetic");
  }
  KeepFirst(train, &data.train);
  return data;
}

}  // namespace fleetmark
