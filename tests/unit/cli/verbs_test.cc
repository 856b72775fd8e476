#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "common/sha256.h"
#include "tests/unit/cli/command_runner.h"
#include "tests/unit/cli/fake_coordinator.h"
#include "tests/unit/cli/sample_runs.h"

namespace fleetmark {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// Every verb against a coordinator that answers over loopback.
class VerbsTest : public testing::Test {
 protected:
  CommandResult Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--coordinator", coordinator_.address()});
    return RunCommand(arguments);
  }
  nlohmann::json Json(std::vector<std::string> arguments) {
    arguments.push_back("--json");
    const CommandResult result = Run(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.out;
    EXPECT_EQ(result.err, "");
    return nlohmann::json::parse(result.out);
  }

  FakeCoordinator coordinator_;
};

TEST_F(VerbsTest, AgentsListsThemAndSaysWhyARuntimeIsMissing) {
  EXPECT_THAT(Run({"agents"}).out, HasSubstr("fleetmark-agent serve --coordinator " + coordinator_.address()));
  v1::AgentInfo& agent = *coordinator_.agents.add_agents();
  agent.set_name("lab-3");
  agent.set_state("offline");
  agent.set_reason("not heard of since 14:02");
  v1::Device& device = *agent.add_devices();
  device.set_name("cuda:0");
  device.set_model("NVIDIA V100");
  v1::Runtime& runtime = *agent.add_runtimes();
  runtime.set_name("libtorch");
  runtime.set_unavailable("there is no fleetmark-worker");
  EXPECT_THAT(Run({"agents"}).out, AllOf(HasSubstr("lab-3"), HasSubstr("cuda:0 (NVIDIA V100)"),
                                         HasSubstr("not heard of since 14:02"), HasSubstr("no fleetmark-worker")));
  const nlohmann::json document = Json({"agents"});
  EXPECT_EQ(document.at("agents").at(0).at("state"), "offline");
  EXPECT_EQ(document.at("agents").at(0).at("queued_runs"), 0) << "every field is printed";
  for (const int like : {0, 7}) {  // as the first, and as one that is not there
    v1::AgentInfo& other = *coordinator_.agents.add_agents();
    other.set_name("lab-4-like-" + std::to_string(like));
    other.set_like(like);
  }
  const std::string table = Run({"agents"}).out;
  EXPECT_THAT(table, ContainsRegex("lab-4-like-0 .*NVIDIA V100"));
  EXPECT_THAT(table, Not(ContainsRegex("lab-4-like-7 .*NVIDIA V100")));
  EXPECT_THAT(table, HasSubstr("no libtorch on lab-3, lab-4-like-0: there is no fleetmark-worker"));
}

TEST_F(VerbsTest, AgentsActions) {
  EXPECT_EQ(Run({"agents", "add", "127.0.0.1:7810"}).out, "added lab-3 at 127.0.0.1:7810, now idle\n");
  EXPECT_EQ(coordinator_.called, "add 127.0.0.1:7810");
  EXPECT_EQ(Json({"agents", "drain", "lab-3"}).at("state"), "draining");
  EXPECT_EQ(coordinator_.called, "drain lab-3");
  EXPECT_EQ(Run({"agents", "resume", "lab-3"}).exit_code, 0);
  EXPECT_EQ(coordinator_.called, "resume lab-3");
  EXPECT_EQ(Run({"agents", "remove", "lab-3"}).exit_code, 0);
  EXPECT_EQ(coordinator_.called, "remove lab-3");
  EXPECT_EQ(Run({"agents", "remove"}).exit_code, 2);
}

TEST_F(VerbsTest, WorkloadsShowsParametersWithBoundsAndDocs) {
  v1::WorkloadOffer& offer = *coordinator_.workloads.add_workloads();
  offer.set_runtime("libtorch");
  offer.add_agents("lab-3");
  offer.mutable_spec()->set_name("tensor_add");
  offer.mutable_spec()->set_doc("adds two matrices");
  v1::ParameterSpec& parameter = *offer.mutable_spec()->add_parameters();
  parameter.set_name("n");
  parameter.set_type("int");
  parameter.set_default_value("12288");
  parameter.set_min(256);
  parameter.set_max(32768);
  parameter.set_doc("rows and columns");
  parameter.set_defines_board(true);
  EXPECT_THAT(Run({"workloads"}).out, AllOf(HasSubstr("tensor_add"), HasSubstr("adds two matrices")));
  EXPECT_THAT(Run({"workloads", "tensor_add"}).out,
              AllOf(HasSubstr("12288"), HasSubstr("256 to 32768"), HasSubstr("rows and columns")));
  EXPECT_EQ(Json({"workloads"}).at("workloads").at(0).at("spec").at("parameters").at(0).at("name"), "n");
}

TEST_F(VerbsTest, SubmitSendsWhatWasAskedFor) {
  coordinator_.runs = {SampleRun("a", "queued")};
  const nlohmann::json document =
      Json({"submit",    "--set",   "n=4096",      "tensor_add", "--set",      "variant=inplace",
            "--on",      "zone=a",  "--on",        "gpu=v100",   "--device",   "cuda:1",
            "--runtime", "pytorch", "--profile",   "tuned",      "--repeat",   "3",
            "--retries", "2",       "--timeout",   "15m",        "--priority", "-5",
            "--note",    "hello",   "--telemetry", "off"});
  EXPECT_EQ(document.at("job_id"), "jjjjjjjjjjjjjjjjjjjj");
  EXPECT_EQ(document.at("run_ids").size(), 1u);
  const v1::SubmitRequest& request = coordinator_.submitted;
  EXPECT_EQ(request.workload(), "tensor_add");
  EXPECT_EQ(request.parameters().at("n"), "4096");
  EXPECT_EQ(request.parameters().at("variant"), "inplace");
  EXPECT_THAT(request.on(), ElementsAre("zone=a", "gpu=v100"));
  EXPECT_EQ(request.device(), "cuda:1");
  EXPECT_EQ(request.runtime(), "pytorch");
  EXPECT_EQ(request.profile(), "tuned");
  EXPECT_EQ(request.repeat(), 3);
  EXPECT_EQ(request.retries(), 2);
  EXPECT_EQ(request.timeout_s(), 900);
  EXPECT_EQ(request.priority(), -5);
  EXPECT_EQ(request.note(), "hello");
  EXPECT_EQ(request.telemetry(), "off");
  EXPECT_EQ(Run({"submit", "tensor_add", "--telemetry", "sometimes"}).exit_code, 2);
}

TEST_F(VerbsTest, SubmitAsksAgainUnderTheSameIdWhenTheAnswerWasLost) {
  coordinator_.lost_submits = 1;
  EXPECT_EQ(Run({"submit", "tensor_add"}).exit_code, 0);
  ASSERT_EQ(coordinator_.submit_request_ids.size(), 2u);
  EXPECT_EQ(coordinator_.submit_request_ids[0], coordinator_.submit_request_ids[1]);
  EXPECT_NE(coordinator_.submit_request_ids[0], "");
  coordinator_.lost_submits = 2;
  EXPECT_EQ(Run({"submit", "tensor_add"}).exit_code, 3) << "not for ever";
}

TEST_F(VerbsTest, SubmitRefusesAParameterGivenTwice) {
  const CommandResult result = Run({"submit", "tensor_add", "--set", "n=1", "--set", "n=2"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("--set n was given twice"));
}

TEST_F(VerbsTest, RunsFilters) {
  coordinator_.runs = {SampleSuccess("k3v8q2m0"), SampleFailure("f7v8q2m0")};
  const CommandResult result =
      Run({"runs",        "--workload", "mnist_cnn",   "--set",  "epochs=1",  "--on",      "lab-3",
           "--device",    "cpu",        "--state",     "failed", "--verdict", "UNCHECKED", "--since",
           "2026-11-01Z", "--until",    "2026-11-02Z", "--job",  "jj",        "--limit",   "7"});
  EXPECT_THAT(result.out, AllOf(HasSubstr("2718 ± 12 samples/s"), HasSubstr("MNIST is not in /srv/data/mnist")));
  const v1::RunFilter& filter = coordinator_.filter;
  EXPECT_EQ(filter.workload(), "mnist_cnn");
  EXPECT_EQ(filter.parameters().at("epochs"), "1");
  EXPECT_EQ(filter.agent(), "lab-3");
  EXPECT_EQ(filter.state(), "failed");
  EXPECT_EQ(filter.verdict(), "UNCHECKED");
  EXPECT_EQ(filter.until_unix_s() - filter.since_unix_s(), 86400);
  EXPECT_EQ(filter.limit(), 7);
  EXPECT_EQ(Json({"runs"}).at("runs").size(), 2u);
}

TEST_F(VerbsTest, ShowGivesTheWholeResult) {
  coordinator_.run = SampleSuccess("k3v8q2m0");
  const nlohmann::json document = Json({"show", "k3v8"});
  EXPECT_EQ(document.at("state"), "succeeded");
  EXPECT_EQ(document.at("attempts").size(), 1u);
  const nlohmann::json& metric = document.at("result").at("metrics").at(0);
  for (const char* name : {"name", "unit", "value", "n", "best", "median", "mean", "sd", "p95", "ci_low", "ci_high"}) {
    EXPECT_TRUE(metric.contains(name)) << name;
  }
  EXPECT_FALSE(document.at("result").at("metrics").at(2).contains("ci_low")) << "what is missing is absent, never 0";
  coordinator_.run = SampleFailure("f7v8q2m0");
  const CommandResult failed = Run({"show", "f7v8"});
  EXPECT_EQ(failed.exit_code, 0) << "showing it went well";
  EXPECT_THAT(failed.out, AllOf(HasSubstr("fleetmark-agent data add mnist"), HasSubstr("looking for train-images")));
}

TEST_F(VerbsTest, LogsPassesBytesOnAndKeepsJsonValid) {
  coordinator_.log_chunks = {"one\n", "tw\xC3", "\xB6\n\xFF"};
  EXPECT_EQ(Run({"logs", "k3v8"}).out, "one\ntw\xC3\xB6\n\xFF");
  EXPECT_EQ(Json({"logs", "k3v8"}).at("log"), "one\ntwö\n?");
}

TEST_F(VerbsTest, CancelNamesTheReason) {
  coordinator_.runs = {SampleRun("a", "cancelled")};
  EXPECT_EQ(Json({"cancel", "aa", "bb", "--reason", "typo"}).at("runs").size(), 1u);
  EXPECT_THAT(coordinator_.cancelled.ids(), ElementsAre("aa", "bb"));
  EXPECT_EQ(coordinator_.cancelled.reason(), "typo");
}

TEST_F(VerbsTest, LeaderboardAndHistory) {
  coordinator_.leaderboard = SampleLeaderboard();
  const nlohmann::json board =
      Json({"leaderboard", "tensor_add", "--set", "n=4096", "--measured-only", "--include-flagged"});
  EXPECT_EQ(coordinator_.leaderboard_request.parameters().at("n"), "4096");
  EXPECT_TRUE(coordinator_.leaderboard_request.measured_only());
  EXPECT_TRUE(coordinator_.leaderboard_request.include_flagged());
  for (const char* name : {"rank", "system", "device", "device_kind", "runtime", "profile", "value", "ci_low",
                           "ci_high", "n", "verdict", "verdict_cause", "verdict_reason", "source", "run_id"}) {
    EXPECT_TRUE(board.at("rows").at(1).contains(name)) << name;
  }
  EXPECT_EQ(Json({"history", "tensor_add", "--on", "lab-3"}).at("points").size(), 0u);
  EXPECT_EQ(coordinator_.history_request.agent(), "lab-3");
}

TEST_F(VerbsTest, ExportIsOneDocument) {
  EXPECT_EQ(nlohmann::json::parse(Run({"export"}).out).at("runs").size(), 0u);
  coordinator_.runs = {SampleSuccess("k3v8q2m0"), SampleFailure("f7v8q2m0")};
  const nlohmann::json document = nlohmann::json::parse(Run({"export"}).out);
  EXPECT_EQ(document.at("runs").at(1).at("state"), "failed");
  coordinator_.export_failure = DataLoss("the store cannot be read");
  const CommandResult broken = Run({"export"});
  EXPECT_EQ(broken.exit_code, 5);
  const nlohmann::json partial = nlohmann::json::parse(broken.out);
  EXPECT_EQ(partial.at("runs").size(), 2u);
  EXPECT_EQ(partial.at("error").at("code"), "data_loss");
}

TEST_F(VerbsTest, ExportToAFileIsWholeOrNotAtAll) {
  const std::string file = testing::TempDir() + "fleetmark_export_" + std::to_string(getpid()) + ".csv";
  coordinator_.runs = {SampleSuccess("k3v8q2m0"), SampleFailure("f7v8q2m0")};
  coordinator_.export_failure = DataLoss("the store cannot be read");
  EXPECT_EQ(Run({"export", "--format", "csv", "--output", file}).exit_code, 5);
  EXPECT_FALSE(std::filesystem::exists(file));
  coordinator_.export_failure = OkStatus();
  EXPECT_EQ(Json({"export", "--format", "csv", "--output", file}).at("runs"), 2);
  std::ifstream stream(file);
  std::stringstream text;
  text << stream.rdbuf();
  EXPECT_THAT(text.str(), HasSubstr("samples_per_s,true,samples/s,2718.28,901"));
  std::filesystem::remove(file);
  const CommandResult nowhere = Run({"export", "--output", "/nonexistent/x.json"});
  EXPECT_EQ(nowhere.exit_code, 2);
  EXPECT_THAT(nowhere.err, HasSubstr("/nonexistent/x.json"));
}

TEST_F(VerbsTest, BackupIsAFileWholeOrNotAtAll) {
  const std::string file = testing::TempDir() + "fleetmark_backup_" + std::to_string(getpid());
  coordinator_.backup.resize(3);
  coordinator_.backup[0].set_data("first ");
  coordinator_.backup[1].set_data("second");
  const auto nothing_is_left = [&] {
    return !std::filesystem::exists(file) && !std::filesystem::exists(file + ".part");
  };
  EXPECT_EQ(Run({"backup", file}).exit_code, 5) << "no hash: the stream ended too early";
  EXPECT_TRUE(nothing_is_left());
  coordinator_.backup[2].set_sha256(Sha256Hex("first third"));
  EXPECT_THAT(Run({"backup", file}).err, HasSubstr("not what the coordinator sent"));
  EXPECT_TRUE(nothing_is_left());
  coordinator_.backup[2].set_sha256(Sha256Hex("first second"));
  coordinator_.backup_failure = ResourceExhausted("the coordinator's disk is full", "free some", "disk_full");
  EXPECT_EQ(Run({"backup", file}).exit_code, 5);
  EXPECT_TRUE(nothing_is_left());
  coordinator_.backup_failure = OkStatus();
  EXPECT_EQ(Json({"backup", file}).at("bytes"), 12);
  std::ifstream stream(file);
  std::stringstream text;
  text << stream.rdbuf();
  EXPECT_EQ(text.str(), "first second");
  EXPECT_EQ(Run({"backup", file}).exit_code, 2);
  EXPECT_EQ(Run({"backup", file, "--force"}).exit_code, 0);
  std::filesystem::remove(file);
  EXPECT_EQ(Run({"backup", "/nonexistent/file"}).exit_code, 2);
}

TEST_F(VerbsTest, VersionNamesBothOrSaysWhyNot) {
  EXPECT_EQ(Json({"version"}).at("coordinator").at("version"), "9.8.7");
  const CommandResult alone = RunCommand({"version", "--json", "--coordinator", "127.0.0.1:1"});
  EXPECT_EQ(alone.exit_code, 0);
  EXPECT_EQ(nlohmann::json::parse(alone.out).at("coordinator_error").at("kind"), "unreachable");
}

TEST_F(VerbsTest, DemoMeasuresBothAndPrintsBothBoards) {
  v1::AgentInfo& agent = *coordinator_.agents.add_agents();
  agent.set_state("idle");
  agent.add_runtimes()->set_name("libtorch");
  coordinator_.updates.emplace_back();
  *coordinator_.updates.back().mutable_run() = SampleFailure("f7v8q2m0");
  coordinator_.leaderboard = SampleLeaderboard();
  const CommandResult result = Run({"demo"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.out, AllOf(HasSubstr("fleetmark-agent data add mnist"), HasSubstr("Nvidia 3090 GPU")));
  EXPECT_EQ(coordinator_.submitted.parameters().at("epochs"), "1");
  EXPECT_THAT(coordinator_.submitted.on(), ElementsAre("all"));
}

TEST_F(VerbsTest, DemoDoesNotWaitForEverForAnAgent) {
  const CommandResult result = Run({"demo", "--agent-timeout", "0.1s"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("fleetmark-agent serve --coordinator " + coordinator_.address()));
}

}  // namespace
}  // namespace fleetmark
