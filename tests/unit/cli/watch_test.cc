#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/cli/command_runner.h"
#include "tests/unit/cli/fake_coordinator.h"
#include "tests/unit/cli/sample_runs.h"

namespace fleetmark {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class WatchTest : public testing::Test {
 protected:
  CommandResult Run(std::vector<std::string> arguments, const Terminal& terminal = Terminal()) {
    arguments.insert(arguments.end(), {"--coordinator", coordinator_.address()});
    return RunCommand(arguments, terminal);
  }
  static v1::RunUpdate Of(const v1::RunInfo& run) {
    v1::RunUpdate update;
    *update.mutable_run() = run;
    return update;
  }

  FakeCoordinator coordinator_;
};

TEST_F(WatchTest, WaitSaysHowItEndedAndExitsAccordingly) {
  coordinator_.updates = {Of(SampleRun("k3v8q2m0", "queued")), Of(SampleSuccess("k3v8q2m0"))};
  const CommandResult good = Run({"submit", "mnist_cnn", "--wait"});
  EXPECT_EQ(good.exit_code, 0);
  EXPECT_THAT(good.out, AllOf(HasSubstr("2718 ± 12"), Not(HasSubstr("queued")), Not(HasSubstr("\x1b"))));
  coordinator_.updates = {Of(SampleFailure("k3v8q2m0"))};
  const CommandResult bad = Run({"submit", "mnist_cnn", "--wait"});
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_THAT(bad.out, AllOf(HasSubstr("MNIST is not in"), HasSubstr("hint: fetch it on lab-3")));
  coordinator_.updates = {Of(SampleRun("k3v8q2m0", "timed_out"))};
  EXPECT_EQ(Run({"submit", "mnist_cnn", "--wait"}).exit_code, 124);
}

TEST_F(WatchTest, WatchTellsChangesWhenPiped) {
  coordinator_.updates = {Of(SampleRun("k3v8q2m0", "queued")), Of(SampleSuccess("k3v8q2m0"))};
  EXPECT_THAT(Run({"submit", "mnist_cnn", "--watch"}).out, HasSubstr("queued"));
  EXPECT_THAT(Run({"watch", "k3v8"}).out, HasSubstr("queued"));
}

TEST_F(WatchTest, JsonIsOneDocumentWithTheRuns) {
  coordinator_.runs = {SampleRun("k3v8q2m0", "queued")};
  coordinator_.updates = {Of(SampleRun("k3v8q2m0", "running")), Of(SampleFailure("k3v8q2m0"))};
  const Terminal terminal{true, 80, 24, true};
  const CommandResult submit = Run({"submit", "mnist_cnn", "--wait", "--json"}, terminal);
  EXPECT_EQ(submit.exit_code, 1);
  const nlohmann::json document = nlohmann::json::parse(submit.out);
  EXPECT_EQ(document.at("job_id"), "jjjjjjjjjjjjjjjjjjjj");
  EXPECT_EQ(document.at("run_ids").size(), 1u);
  EXPECT_EQ(document.at("runs").at(0).at("state"), "failed");
  const CommandResult watch = Run({"watch", "jj", "--json"}, terminal);
  EXPECT_EQ(nlohmann::json::parse(watch.out).at("runs").at(0).at("failure").at("kind"), "data_missing");
}

TEST_F(WatchTest, ALostCoordinatorIsReachedAgain) {
  coordinator_.updates = {Of(SampleRun("k3v8q2m0", "running"))};
  coordinator_.watch_end = FakeCoordinator::WatchEnd::kLost;
  coordinator_.on_watch = [this] {
    coordinator_.updates = {Of(SampleSuccess("k3v8q2m0"))};
    coordinator_.watch_end = FakeCoordinator::WatchEnd::kDone;
  };
  const CommandResult result = Run({"submit", "mnist_cnn", "--wait", "--json"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(coordinator_.watches, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr("lost the coordinator"), HasSubstr("connected again")));
  EXPECT_EQ(nlohmann::json::parse(result.out).at("runs").at(0).at("state"), "succeeded");
}

TEST_F(WatchTest, ACoordinatorThatEndsTheWatchTooEarlyIsAskedAgain) {
  coordinator_.updates = {Of(SampleRun("k3v8q2m0", "running"))};
  coordinator_.on_watch = [this] { coordinator_.updates = {Of(SampleSuccess("k3v8q2m0"))}; };
  EXPECT_EQ(Run({"watch", "k3v8"}).exit_code, 0);
  EXPECT_EQ(coordinator_.watches, 2);
}

TEST_F(WatchTest, ARefusalIsNotTriedAgain) {
  coordinator_.failure = NotFound("there is no job or run \"zz\"");
  EXPECT_EQ(Run({"watch", "zz"}).exit_code, 2);
  EXPECT_EQ(coordinator_.watches, 1);
}

TEST_F(WatchTest, WaitTimeoutSaysThatTheRunsGoOn) {
  coordinator_.updates = {Of(SampleRun("k3v8q2m0", "running"))};
  coordinator_.watch_end = FakeCoordinator::WatchEnd::kHang;
  const CommandResult result = Run({"submit", "mnist_cnn", "--wait", "--wait-timeout", "0.2s", "--json"});
  EXPECT_EQ(result.exit_code, 124);
  const nlohmann::json error = nlohmann::json::parse(result.out).at("error");
  EXPECT_EQ(error.at("kind"), "wait_timeout");
  EXPECT_THAT(error.at("message"), HasSubstr("jjjjjjjjjjjjjjjjjjjj goes on"));
  EXPECT_THAT(error.at("hint"), AllOf(HasSubstr("fleetmark watch"), HasSubstr("fleetmark cancel")));
}

}  // namespace
}  // namespace fleetmark
