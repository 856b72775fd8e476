#include "agent/worker/data/cifar10.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "agent/worker/settings.h"
#include "tests/fakes/temporary_directory.h"

namespace fleetmark {
namespace {

namespace fs = std::filesystem;

constexpr size_t kRecord = 3073, kImages = 20;

class Cifar10Test : public testing::Test {
 protected:
  Cifar10Test() {
    fs::create_directory(directory_ / "cifar-10-batches-bin");
    for (const char* file :
         {"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"}) {
      Write(file, std::string(kImages * kRecord, '\3'));
    }
  }

  void Write(const std::string& name, const std::string& bytes) {
    std::ofstream(directory_ / "cifar-10-batches-bin" / (name + ".bin"), std::ios::binary) << bytes;
  }
  void ExpectFailure(const std::string& kind, const std::string& word) {
    const Status status = LoadCifar10(directory_).status();
    EXPECT_EQ(status.kind(), kind) << status.message();
    EXPECT_NE(status.message().find(word), std::string::npos) << status.message();
  }

  const TemporaryDirectory temporary_;
  const fs::path& directory_ = temporary_.path();
};

TEST_F(Cifar10Test, ReadsLabelAndPlanesOfEachRecord) {
  std::string bytes(kImages * kRecord, '\3');
  bytes[kRecord] = '\7';          // the second image's class
  bytes[kRecord + 1 + 1024] = 9;  // and its first green pixel
  Write("data_batch_2", bytes);
  const auto data = LoadCifar10(directory_);
  ASSERT_TRUE(data.ok()) << data.status().message();
  EXPECT_EQ(data->name, "cifar10-like");
  EXPECT_EQ(data->train.count, 100);
  EXPECT_EQ(data->test.count, 20);
  EXPECT_EQ(data->train.labels[21], 7);
  EXPECT_EQ(data->train.labels[20], 3);
  EXPECT_EQ(data->train.pixels[21 * 3072 + 1024], 9);
  EXPECT_EQ(data->train.pixels.size(), 100u * 3072);
}

TEST_F(Cifar10Test, WhatIsMissingOrBrokenIsNamed) {
  std::string bytes(kImages * kRecord, '\3');
  bytes[5 * kRecord] = '\12';
  Write("test_batch", bytes);
  ExpectFailure("data_corrupt", "test_batch.bin is corrupt: image 5 is of class 10");
  Write("data_batch_3", "short");
  ExpectFailure("data_corrupt", "data_batch_3.bin has 5 bytes, which are no images of 3073 bytes");
  fs::remove(directory_ / "cifar-10-batches-bin" / "data_batch_1.bin");
  ExpectFailure("data_missing", "data_batch_1.bin is not there");
  EXPECT_EQ(LoadCifar10("").status().kind(), "data_missing");
}

TEST_F(Cifar10Test, NoMoreImagesAreTakenThanThereAre) {
  const auto parameters = Parameters::Parse({CifarDataParameter(), SeedParameter()}, {{"data", "cifar10"}});
  EXPECT_EQ(LoadCifarData(*parameters, directory_, 30, 0)->train.labels.size(), 30u);
  const Status status = LoadCifarData(*parameters, directory_, 101, 0).status();
  EXPECT_EQ(status.kind(), "bad_parameter");
  EXPECT_EQ(status.message(), "101 images are asked for, and CIFAR-10 has 100");
}

}  // namespace
}  // namespace fleetmark
