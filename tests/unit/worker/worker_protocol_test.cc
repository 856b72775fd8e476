#include "common/worker_protocol.h"

#include <gtest/gtest.h>

#include "agent/worker/failure.h"

namespace fleetmark {
namespace {

TEST(WorkerProtocol, EveryFailureOfTheWorkerHasItsOwnExitCode) {
  EXPECT_EQ(ExitCodeOfFailure(BadParameter("").kind()), 101);
  EXPECT_EQ(ExitCodeOfFailure(DeviceUnavailable("").kind()), 102);
  EXPECT_EQ(ExitCodeOfFailure(OutOfMemory("").kind()), 103);
  EXPECT_EQ(ExitCodeOfFailure(DataMissing("").kind()), 104);
  EXPECT_EQ(ExitCodeOfFailure(DataCorrupt("").kind()), 105);
  EXPECT_EQ(ExitCodeOfFailure(Diverged("").kind()), 106);
  EXPECT_EQ(ExitCodeOfFailure("a kind that does not exist"), 107);
  EXPECT_EQ(ExitCodeOfFailure(Unsupported("").kind()), 108);
  for (const FailureExit& entry : kFailureExits) EXPECT_EQ(FailureOfExitCode(entry.exit_code), entry.kind);
  EXPECT_EQ(FailureOfExitCode(1), "");
}

}  // namespace
}  // namespace fleetmark
