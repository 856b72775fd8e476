#include "agent/worker/data/mnist.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "agent/worker/data/idx.h"
#include "agent/worker/data/synthetic.h"

namespace fleetmark {
namespace {

namespace fs = std::filesystem;

std::string Header(const std::vector<uint32_t>& shape) {
  std::string bytes = {'\0', '\0', '\x08', static_cast<char>(shape.size())};
  for (const uint32_t extent : shape) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(extent >> shift & 0xff);
  }
  return bytes;
}

class MnistTest : public testing::Test {
 protected:
  MnistTest() {
    std::string name = (fs::temp_directory_path() / "mnist_test.XXXXXX").string();
    directory_ = mkdtemp(name.data());
    fs::create_directory(directory_ / "mnist");
    Write("train-images-idx3-ubyte", Header({3, 28, 28}) + std::string(3 * 784, '\7'));
    Write("train-labels-idx1-ubyte", Header({3}) + std::string("\0\5\11", 3));
    Write("t10k-images-idx3-ubyte", Header({2, 28, 28}) + std::string(2 * 784, '\1'));
    Write("t10k-labels-idx1-ubyte", Header({2}) + std::string("\1\2", 2));
  }
  ~MnistTest() override { fs::remove_all(directory_); }

  void Write(const std::string& name, const std::string& bytes) {
    std::ofstream(directory_ / "mnist" / name, std::ios::binary) << bytes;
  }
  // Expects LoadMnist to fail with this kind and a message that has all of these.
  void ExpectFailure(const std::string& kind, const std::vector<std::string>& words) {
    const Status status = LoadMnist(directory_).status();
    EXPECT_EQ(status.kind(), kind) << status.message();
    for (const std::string& word : words) {
      EXPECT_NE(status.message().find(word), std::string::npos) << status.message() << " lacks " << word;
    }
  }

  fs::path directory_;
};

TEST_F(MnistTest, ReadsTheFourFiles) {
  const auto data = LoadMnist(directory_);
  ASSERT_TRUE(data.ok()) << data.status().message();
  EXPECT_EQ(data->train.count, 3);
  EXPECT_EQ(data->train.labels, std::string("\0\5\11", 3));
  EXPECT_EQ(data->train.pixels, std::string(3 * 784, '\7'));
  EXPECT_EQ(data->test.count, 2);
  EXPECT_EQ(data->name, "mnist-like") << "only the published files are MNIST";
  EXPECT_EQ(data->sha256.size(), 64u);
}

TEST_F(MnistTest, TheHashSaysWhichData) {
  const std::string before = LoadMnist(directory_)->sha256;
  Write("t10k-labels-idx1-ubyte", Header({2}) + std::string("\1\3", 2));
  EXPECT_NE(LoadMnist(directory_)->sha256, before);
}

TEST_F(MnistTest, AcceptsNamesWithADot) {
  fs::rename(directory_ / "mnist/train-images-idx3-ubyte", directory_ / "mnist/train-images.idx3-ubyte");
  EXPECT_TRUE(LoadMnist(directory_).ok());
}

TEST_F(MnistTest, MissingDataNamesTheFileAndTheCommand) {
  fs::remove(directory_ / "mnist/t10k-labels-idx1-ubyte");
  ExpectFailure("data_missing", {"t10k-labels-idx1-ubyte"});
  EXPECT_NE(LoadMnist(directory_).status().hint().find("fleetmark-agent data add mnist"), std::string::npos);
  EXPECT_EQ(LoadMnist("").status().kind(), "data_missing");
}

TEST_F(MnistTest, CorruptFilesAreNamedWithWhatIsWrong) {
  Write("train-images-idx3-ubyte", "");
  ExpectFailure("data_corrupt", {"train-images-idx3-ubyte", "0 bytes"});
  Write("train-images-idx3-ubyte", std::string(100, 'x'));
  ExpectFailure("data_corrupt", {"train-images-idx3-ubyte", "IDX"});
  Write("train-images-idx3-ubyte", Header({3, 28, 28}) + std::string(3 * 784 - 1, '\7'));
  ExpectFailure("data_corrupt", {"train-images-idx3-ubyte", "2352", "2351"});
  Write("train-images-idx3-ubyte", Header({0xffffffff, 0xffffffff, 0xffffffff}));
  ExpectFailure("data_corrupt", {"train-images-idx3-ubyte", "promises"});
  Write("train-images-idx3-ubyte", Header({3, 27, 28}) + std::string(3 * 27 * 28, '\7'));
  ExpectFailure("data_corrupt", {"train-images-idx3-ubyte", "27 x 28"});
  Write("train-images-idx3-ubyte", Header({2, 28, 28}) + std::string(2 * 784, '\7'));
  ExpectFailure("data_corrupt", {"2 images", "3 labels"});
}

TEST_F(MnistTest, LabelsMustBeDigits) {
  Write("train-labels-idx1-ubyte", Header({3}) + std::string("\0\12\1", 3));
  ExpectFailure("data_corrupt", {"train-labels-idx1-ubyte", "label 10"});
}

TEST_F(MnistTest, GzipIsReadWhereItCanBe) {
  const std::string plain = LoadMnist(directory_)->sha256;
  const std::string command = "gzip " + (directory_ / "mnist").string() + "/train-images-idx3-ubyte";
  ASSERT_EQ(std::system(command.c_str()), 0);
  const auto data = LoadMnist(directory_);
  if (!CanReadGzip()) {
    EXPECT_EQ(data.status().kind(), "unsupported");
    return;
  }
  ASSERT_TRUE(data.ok()) << data.status().message();
  EXPECT_EQ(data->sha256, plain);
  Write("train-images-idx3-ubyte.gz", "\x1f\x8b\x08 not gzip at all");
  ExpectFailure("data_corrupt", {"train-images-idx3-ubyte.gz"});
}

TEST(SyntheticImages, AreTheSameForTheSameSeedOnly) {
  constexpr SyntheticShape kShape = {.channels = 1, .side = 28, .train = 6400, .test = 1000};
  const ImageDataset first = MakeSyntheticImages(kShape, 1);
  EXPECT_EQ(first.train.pixels.size(), 6400u * 784u);
  EXPECT_EQ(first.test.labels.size(), 1000u);
  EXPECT_EQ(first.sha256, MakeSyntheticImages(kShape, 1).sha256);
  EXPECT_NE(first.sha256, MakeSyntheticImages(kShape, 2).sha256);
  // The same on every machine: whoever changes the images changes the workload's version.
  EXPECT_EQ(first.sha256, "5366abfda242ceb410c41bd9dd6f7d5d6adda8816bcc7afeee5176f39eda2069");
}

}  // namespace
}  // namespace fleetmark
