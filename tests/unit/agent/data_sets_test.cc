#include "agent/data_sets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "agent/gzip.h"
#include "common/files.h"
#include "tests/unit/agent/agent_fixture.h"

namespace fleetmark::agent {
namespace {

using testing::HasSubstr;

class DataSetsTest : public testing::Test {
 protected:
  AddDataSetRequest Request(const std::string& name = "mnist") {
    AddDataSetRequest request;
    request.name = name;
    request.dataset_directory = directory_.path() / "datasets";
    request.say = [this](const std::string& line) { said_ += line + "\n"; };
    return request;
  }
  TemporaryDirectory directory_;
  std::string said_;
};

TEST_F(DataSetsTest, SuggestsANameThatIsNear) {
  const Status status = AddDataSet(Request("mnst"));
  EXPECT_EQ(StatusCode::kInvalidArgument, status.code());
  EXPECT_EQ("did you mean mnist?", status.hint());
}

TEST_F(DataSetsTest, FilesThatAreNotThePublishedOnesAreNotTaken) {
  AddDataSetRequest request = Request();
  request.from = directory_.path();
  std::ofstream(directory_.path() / "train-images-idx3-ubyte") << "wrong";
  const Status status = AddDataSet(request);
  EXPECT_EQ("data_corrupt", status.kind());
  EXPECT_THAT(status.message(), HasSubstr("train-images-idx3-ubyte"));
  EXPECT_FALSE(std::filesystem::exists(request.dataset_directory / "mnist"));
  EXPECT_TRUE(std::filesystem::is_empty(request.dataset_directory)) << "nothing is left behind";
}

TEST_F(DataSetsTest, AMissingFileIsNamed) {
  AddDataSetRequest request = Request();
  request.from = directory_.path();
  EXPECT_THAT(AddDataSet(request).message(), HasSubstr("train-images-idx3-ubyte"));
}

TEST_F(DataSetsTest, WithoutNpmItSaysWhatElseToDo) {
  AddDataSetRequest request = Request();
  request.npm = {(directory_.path() / "no-npm").string()};
  const Status status = AddDataSet(request);
  EXPECT_THAT(status.message(), HasSubstr("no-npm"));
  EXPECT_THAT(status.hint(), HasSubstr("--from DIR"));
  request.npm = {"false"};
  EXPECT_THAT(AddDataSet(request).hint(), HasSubstr("--from DIR"));
}

// npm says nothing of what went wrong when it is asked to be silent.
TEST_F(DataSetsTest, WhatNpmSaysIsTold) {
  AddDataSetRequest request = Request();
  request.npm = {"sh", "-c", "case \" $* \" in *silent*) ;; *) echo 'npm ERR! no such host' >&2;; esac; exit 1", "npm"};
  EXPECT_THAT(AddDataSet(request).message(), HasSubstr("no such host"));
}

TEST_F(DataSetsTest, WhatIsCompleteIsNotFetchedAgain) {
  AddDataSetRequest request = Request();
  const auto place = request.dataset_directory / "mnist";
  std::filesystem::create_directories(place);
  EXPECT_FALSE(ListDataSets(request.dataset_directory)[0].is_complete);
  for (const auto& [name, bytes] :
       {std::pair{"train-images-idx3-ubyte", 47'040'016}, std::pair{"train-labels-idx1-ubyte", 60'008},
        std::pair{"t10k-images-idx3-ubyte", 7'840'016}, std::pair{"t10k-labels-idx1-ubyte", 10'008}}) {
    std::ofstream(place / name);
    std::filesystem::resize_file(place / name, bytes);
  }
  EXPECT_TRUE(ListDataSets(request.dataset_directory)[0].is_complete);
  request.npm = {"false"};
  EXPECT_TRUE(AddDataSet(request).ok());
  EXPECT_THAT(said_, HasSubstr("already"));
}

TEST(Gzip, UnpacksAndNoticesDamage) {
  // printf hello | gzip -n
  const std::string packed(
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\x07\x00\x86\xa6\x10\x36\x05\x00\x00\x00", 25);
  EXPECT_EQ("hello", *GunzipIfPacked(packed, 100, "x"));
  EXPECT_EQ("plain", *GunzipIfPacked("plain", 100, "x"));
  EXPECT_EQ(StatusCode::kDataLoss, GunzipIfPacked(packed.substr(0, 15), 100, "x").status().code());
  EXPECT_EQ(StatusCode::kDataLoss, GunzipIfPacked(packed, 3, "x").status().code());
  std::string damaged = packed;
  damaged[13] ^= 1;
  EXPECT_EQ(StatusCode::kDataLoss, GunzipIfPacked(damaged, 100, "x").status().code());
}

}  // namespace
}  // namespace fleetmark::agent
