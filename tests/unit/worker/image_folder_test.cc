#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "agent/worker/data/image_file.h"
#include "agent/worker/data/image_source.h"
#include "tests/fakes/temporary_directory.h"

namespace fleetmark {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string FromHex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2) bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

// Two pixels, red and blue, and one grey pixel of 128.
const std::string kPng = FromHex(
    "89504e470d0a1a0a0000000d49484452000000020000000108020000007b40e8dd0000000d49444154789c63f8cf0004"
    "ff01070001ffe2239e590000000049454e44ae426082");
const std::string kJpeg = FromHex(
    "ffd8ffe000104a46494600010100000100010000ffdb0043000302020302020303030304030304050805050404050a07"
    "0706080c0a0c0c0b0a0b0b0d0e12100d0e110e0b0b1016101113141515150c0f171816141812141514ffc0000b080001"
    "000101011100ffc4001f0000010501010101010100000000000000000102030405060708090a0bffc400b51000020103"
    "03020403050504040000017d01020300041105122131410613516107227114328191a1082342b1c11552d1f024336272"
    "82090a161718191a25262728292a3435363738393a434445464748494a535455565758595a636465666768696a737475"
    "767778797a838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9"
    "cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9faffda0008010100003f002bffd9");

class ImageFolderTest : public testing::Test {
 protected:
  fs::path Write(const std::string& name, const std::string& bytes) {
    const fs::path path = directory_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  // What is read, or nothing where this build has no library for the format; the test then ends there.
  static std::optional<ColourImage> Decode(const fs::path& path) {
    StatusOr<ColourImage> image = ReadImageFile(path);
    if (image.ok()) return *std::move(image);
    EXPECT_EQ(image.status().kind(), "unsupported") << image.status().message();
    return std::nullopt;
  }

  const TemporaryDirectory temporary_;
  const fs::path& directory_ = temporary_.path();
};

TEST_F(ImageFolderTest, DecodesPngAndJpegByTheirContent) {
  if (const auto png = Decode(Write("misnamed.jpg", kPng))) {
    EXPECT_EQ(png->width, 2);
    EXPECT_EQ(png->height, 1);
    EXPECT_THAT(png->pixels, testing::ElementsAre(255, 0, 0, 0, 0, 255));
  }
  if (const auto jpeg = Decode(Write("a.jpeg", kJpeg))) {
    EXPECT_EQ(jpeg->width, 1);
    ASSERT_EQ(jpeg->pixels.size(), 3u);
    for (const uint8_t value : jpeg->pixels) EXPECT_NEAR(value, 128, 2);
  }
}

TEST_F(ImageFolderTest, WhatCannotBeReadIsNamed) {
  for (const auto& [name, bytes] : {std::pair<std::string, std::string>{"short.png", kPng.substr(0, kPng.size() / 2)},
                                    {"short.jpg", kJpeg.substr(0, kJpeg.size() / 2)},
                                    {"text.png", "not an image"},
                                    {"empty.jpg", ""}}) {
    const Status status = ReadImageFile(Write(name, bytes)).status();
    EXPECT_THAT(status.kind(), testing::AnyOf("data_corrupt", "unsupported"));
    EXPECT_THAT(status.message(), HasSubstr(name));
  }
  EXPECT_EQ(ReadImageFile(directory_ / "none.png").status().kind(), "data_corrupt");
}

TEST_F(ImageFolderTest, EachSubDirectoryWithImagesIsAClass) {
  Write("dog/1.png", kPng);
  Write("cat/2.JPG", kJpeg);
  Write("cat/1.png", kPng);
  Write("cat/notes.txt", "no image");
  Write("empty/notes.txt", "no image");
  Write("stray.png", kPng);
  const auto source = OpenImageFolder(directory_, 4);
  ASSERT_TRUE(source.ok()) << source.status().message();
  EXPECT_EQ((*source)->size(), 3);
  EXPECT_EQ((*source)->Label(0), 0);
  EXPECT_EQ((*source)->Label(2), 1);
  const std::string hash = (*source)->sha256();
  Write("dog/2.png", kPng);
  EXPECT_NE((*OpenImageFolder(directory_, 4))->sha256(), hash);
}

TEST_F(ImageFolderTest, FoldersThatCannotBeTrainedOnAreRefused) {
  EXPECT_EQ(OpenImageFolder(directory_ / "none", 4).status().kind(), "data_missing");
  EXPECT_THAT(OpenImageFolder(directory_, 4).status().message(), HasSubstr("no JPEG or PNG images"));
  Write("dog/1.png", kPng);
  const Status one = OpenImageFolder(directory_, 4).status();
  EXPECT_EQ(one.kind(), "data_missing");
  EXPECT_THAT(one.message(), HasSubstr("one class only, dog"));
  for (const char* name : {"cat", "bird", "fish", "frog"}) Write(std::string(name) + "/1.png", kPng);
  const Status five = OpenImageFolder(directory_, 4).status();
  EXPECT_EQ(five.kind(), "bad_parameter");
  EXPECT_THAT(five.message(), HasSubstr("5 classes (bird, cat, dog, fish, frog)"));
}

}  // namespace
}  // namespace fleetmark
