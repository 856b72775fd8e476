#include "common/failpoint.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <string>

namespace fleetmark {
namespace {

constexpr const char* kVariable = "FLEETMARK_FAILPOINT";

// Exits 0 when it comes through.
[[noreturn]] void Pass(const char* armed, int times) {
  setenv(kVariable, armed, 1);
  if (!ArmFailPoint().ok()) _exit(2);
  for (int i = 0; i < times; ++i) FailPoint("store.committed");
  _exit(0);
}

TEST(FailPoint, DoesNothingUnarmed) {
  EXPECT_EXIT(Pass("", 3), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(Pass("journal.committed", 3), testing::ExitedWithCode(0), "");
}

TEST(FailPoint, KillsTheProcessAtTheTimeThatWasAskedFor) {
  EXPECT_EXIT(Pass("store.committed", 1), testing::KilledBySignal(SIGKILL), "");
  EXPECT_EXIT(Pass("store.committed:3", 2), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(Pass("store.committed:3", 3), testing::KilledBySignal(SIGKILL), "");
}

// Otherwise every worker of an agent would be the first.
TEST(FailPoint, CountsChildrenTogether) {
  const auto fork_thrice = [] {
    setenv(kVariable, "worker.behind_gate:2", 1);
    if (!ArmFailPoint().ok()) _exit(9);
    int killed = 0;
    for (int i = 0; i < 3; ++i) {
      const int child = fork();
      if (child == 0) {
        FailPoint("worker.behind_gate");
        _exit(0);
      }
      int status = 0;
      waitpid(child, &status, 0);
      if (WIFSIGNALED(status)) killed = killed * 10 + i + 1;
    }
    _exit(killed);
  };
  EXPECT_EXIT(fork_thrice(), testing::ExitedWithCode(2), "");
}

TEST(FailPoint, RefusesWhatIsNoneAndNamesThemAll) {
  for (const char* wrong : {"store.comitted", "store.committed:", "store.committed:0", "store.committed:x", ":1"}) {
    setenv(kVariable, wrong, 1);
    const Status status = ArmFailPoint();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << wrong;
    EXPECT_NE(status.message().find(wrong), std::string::npos) << status.message();
  }
  setenv(kVariable, "?", 1);
  const std::string hint = ArmFailPoint().hint();
  for (const std::string_view name : kFailPoints) EXPECT_NE(hint.find(name), std::string::npos) << name;
  EXPECT_EQ(std::set(kFailPoints.begin(), kFailPoints.end()).size(), kFailPoints.size());
  unsetenv(kVariable);
}

}  // namespace
}  // namespace fleetmark
