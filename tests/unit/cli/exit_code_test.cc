#include "coordinator/cli/exit_code.h"

#include <gtest/gtest.h>

#include "tests/unit/cli/sample_runs.h"

namespace fleetmark {
namespace {

TEST(ExitCodeTest, TellsWhoseFaultItIs) {
  EXPECT_EQ(ExitCodeOf(OkStatus()), ExitCode::kDone);
  EXPECT_EQ(ExitCodeOf(InvalidArgument("x")), ExitCode::kUsage);
  EXPECT_EQ(ExitCodeOf(NotFound("x")), ExitCode::kUsage);
  EXPECT_EQ(ExitCodeOf(AlreadyExists("x")), ExitCode::kUsage);
  EXPECT_EQ(ExitCodeOf(FailedPrecondition("x")), ExitCode::kUsage);
  EXPECT_EQ(ExitCodeOf(Unavailable("x")), ExitCode::kUnreachable);
  EXPECT_EQ(ExitCodeOf(Status(StatusCode::kDeadlineExceeded, "x")), ExitCode::kUnreachable);
  EXPECT_EQ(ExitCodeOf(Status(StatusCode::kUnauthenticated, "x")), ExitCode::kUnreachable);
  EXPECT_EQ(ExitCodeOf(Status(StatusCode::kPermissionDenied, "x")), ExitCode::kUnreachable);
  EXPECT_EQ(ExitCodeOf(Internal("x")), ExitCode::kCoordinatorError);
  EXPECT_EQ(ExitCodeOf(DataLoss("x")), ExitCode::kCoordinatorError);
  EXPECT_EQ(ExitCodeOf(ResourceExhausted("x")), ExitCode::kCoordinatorError);
  EXPECT_EQ(ExitCodeOf(Status(StatusCode::kDeadlineExceeded, "x", "", kWaitTimeoutKind)), ExitCode::kTimeout);
  EXPECT_EQ(ExitCodeOf(Status(StatusCode::kCancelled, "x", "", kInterruptedKind)), ExitCode::kInterrupted);
}

TEST(ExitCodeTest, AFailedRunCountsMoreThanOneThatTimedOut) {
  const auto of = [](const std::vector<std::string>& states) {
    std::vector<v1::RunInfo> runs;
    for (const std::string& state : states) runs.push_back(SampleRun("a", state));
    return ExitCodeOf(runs);
  };
  EXPECT_EQ(of({"succeeded", "succeeded"}), ExitCode::kDone);
  EXPECT_EQ(of({"succeeded", "failed"}), ExitCode::kRunFailed);
  EXPECT_EQ(of({"interrupted"}), ExitCode::kRunFailed);
  EXPECT_EQ(of({"cancelled"}), ExitCode::kRunFailed);
  EXPECT_EQ(of({"succeeded", "timed_out"}), ExitCode::kTimeout);
  EXPECT_EQ(of({"timed_out", "failed"}), ExitCode::kRunFailed);
}

TEST(ExitCodeTest, NumbersAreWhatScriptsRelyOn) {
  EXPECT_EQ(static_cast<int>(ExitCode::kRunFailed), 1);
  EXPECT_EQ(static_cast<int>(ExitCode::kUsage), 2);
  EXPECT_EQ(static_cast<int>(ExitCode::kUnreachable), 3);
  EXPECT_EQ(static_cast<int>(ExitCode::kCoordinatorError), 5);
  EXPECT_EQ(static_cast<int>(ExitCode::kTimeout), 124);
  EXPECT_EQ(static_cast<int>(ExitCode::kInterrupted), 130);
}

}  // namespace
}  // namespace fleetmark
