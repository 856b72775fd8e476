#include "common/files.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fleetmark {
namespace {

class Files : public testing::Test {
 protected:
  Files() {
    std::string name = testing::TempDir() + "files_XXXXXX";
    directory_ = mkdtemp(name.data());
  }
  ~Files() override { std::filesystem::remove_all(directory_); }
  std::filesystem::path directory_;
};

TEST_F(Files, WritesWholeAndReplaces) {
  ASSERT_TRUE(WriteFileAtomically(directory_ / "a", "one").ok());
  ASSERT_TRUE(WriteFileAtomically(directory_ / "a", "two").ok());
  EXPECT_EQ(*ReadFile(directory_ / "a"), "two");
  // Nothing half-written is left beside it.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_), {}), 1);
}

TEST_F(Files, NamesWhatCannotBeReadOrWritten) {
  const auto missing = ReadFile(directory_ / "missing");
  EXPECT_EQ(missing.status().code(), StatusCode::kNotFound);
  EXPECT_NE(missing.status().message().find("missing"), std::string::npos);
  EXPECT_FALSE(WriteFileAtomically(directory_ / "no" / "such", "x").ok());
  ASSERT_TRUE(WriteFileAtomically(directory_ / "file", "x").ok());
  EXPECT_FALSE(MakeDirectory(directory_ / "file" / "below", false).ok());
}

TEST_F(Files, MakesPrivateDirectories) {
  ASSERT_TRUE(MakeDirectory(directory_ / "a" / "b", true).ok());
  EXPECT_EQ(std::filesystem::status(directory_ / "a" / "b").permissions(), std::filesystem::perms::owner_all);
  EXPECT_GT(*FreeBytes(directory_), 0);
}

TEST_F(Files, LockExcludesAndNamesItsHolder) {
  auto lock = FileLock::Acquire(directory_ / "lock");
  ASSERT_TRUE(lock.ok());
  const auto second = FileLock::Acquire(directory_ / "lock");
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().code(), StatusCode::kAlreadyExists);
  EXPECT_NE(second.status().message().find(std::to_string(getpid())), std::string::npos);
}

TEST_F(Files, LockEndsWithItsProcess) {
  const pid_t child = fork();
  if (child == 0) {
    const auto lock = FileLock::Acquire(directory_ / "lock");
    kill(getpid(), SIGKILL);
  }
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(FileLock::Acquire(directory_ / "lock").ok());
}

}  // namespace
}  // namespace fleetmark
