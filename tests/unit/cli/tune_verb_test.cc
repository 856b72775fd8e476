#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "common/protocol_version.h"
#include "tests/unit/cli/command_runner.h"
#include "tests/unit/cli/fake_coordinator.h"
#include "tests/unit/cli/sample_runs.h"

namespace fleetmark {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Property;

// `fleetmark tune` against a coordinator whose machine executes the workload "work".
class TuneVerbTest : public testing::Test {
 protected:
  TuneVerbTest() {
    v1::AgentInfo& agent = *coordinator_.agents.add_agents();
    agent.set_name("lab-3");
    agent.set_state("idle");
    agent.add_features(kProfileSettingsFeature);
    agent.mutable_host()->set_cpu_count(4);
    v1::Device& device = *agent.add_devices();
    device.set_name("cpu");
    device.set_kind("cpu");
    v1::Runtime& runtime = *agent.add_runtimes();
    runtime.set_name("libtorch");
    *runtime.mutable_description()->add_devices() = device;
    v1::WorkloadSpec& workload = *runtime.mutable_description()->add_workloads();
    workload.set_name("work");
    workload.set_version(1);
    workload.add_device_kinds("cpu");
    workload.add_metrics()->set_name("it_per_s");
    workload.mutable_metrics(0)->set_better("more");
    Add(&workload, "size", "1")->set_defines_board(true);
    Add(&workload, "steps", "10");
    Add(&workload, "duration_s", "60");
    Add(&workload, "seed", "1");
    v1::ParameterSpec* threads = Add(&workload, "threads", "0");
    threads->set_tunable(true);
    threads->set_unit("threads");
    coordinator_.execute = [this](const v1::SubmitRequest& request) { return Execute(request); };
  }

  static v1::ParameterSpec* Add(v1::WorkloadSpec* workload, const char* name, const char* default_value) {
    v1::ParameterSpec* spec = workload->add_parameters();
    spec->set_name(name);
    spec->set_type("int");
    spec->set_min(0);
    spec->set_default_value(default_value);
    return spec;
  }

  // 2 threads are the fastest by far.
  v1::RunInfo Execute(const v1::SubmitRequest& request) const {
    const auto threads = request.parameters().find("threads");
    v1::RunInfo run;
    run.set_state("succeeded");
    run.set_started_unix_s(kSampleNow);
    run.set_finished_unix_s(kSampleNow + run_s_);
    v1::Result& result = *run.mutable_result();
    result.set_primary_metric("it_per_s");
    result.mutable_summary()->set_steps(10);
    result.mutable_summary()->set_measured_s(0.01);
    v1::Metric& metric = *result.add_metrics();
    metric.set_name("it_per_s");
    metric.set_unit("it/s");
    metric.set_value(threads != request.parameters().end() && threads->second == fastest_ ? 200 : 100);
    return run;
  }

  CommandResult Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--coordinator", coordinator_.address()});
    return RunCommand(arguments);
  }
  void ExpectRefusal(std::vector<std::string> arguments, const std::string& words) {
    const CommandResult result = Run(std::move(arguments));
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.err, HasSubstr(words));
    EXPECT_TRUE(coordinator_.kept.empty());
  }

  FakeCoordinator coordinator_;
  std::string fastest_ = "2";
  double run_s_ = 0.01;
};

TEST_F(TuneVerbTest, KeepsTheBestAndSaysHowToUseIt) {
  const CommandResult result = Run({"tune", "work", "--on", "lab-3", "--set", "size=7"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("tuning work on lab-3, cpu, libtorch, board size=7"),
                                HasSubstr("threads=2 is kept: 2.00 times"), HasSubstr("it has no loss"),
                                HasSubstr("use it: fleetmark submit work --profile tuned --on lab-3 --set size=7")));
  ASSERT_EQ(coordinator_.kept.size(), 1u);
  const v1::TunedProfile& kept = coordinator_.kept.front();
  EXPECT_EQ(kept.settings().at("threads"), "2");
  EXPECT_EQ(kept.parameters().at("size"), "7");
  EXPECT_FALSE(kept.parameters().contains("steps")) << "of the board alone";
  EXPECT_EQ(kept.tried(0).verdict(), "kept");
  EXPECT_EQ(kept.tried_size(), 3) << "stock, which is tuned here, 1 and 2";
}

TEST_F(TuneVerbTest, EveryTrialDoesTheSameOnNoBoard) {
  ASSERT_EQ(Run({"tune", "work", "--on", "lab-3"}).exit_code, 0);
  const auto& all = coordinator_.all_submitted;
  EXPECT_THAT(all, Each(Property(&v1::SubmitRequest::unranked, true)));
  std::set<std::string> steps;
  for (size_t i = 1; i < all.size(); ++i) {  // behind the pilot
    steps.insert(all[i].parameters().at("steps"));
    EXPECT_EQ(all[i].parameters().at("duration_s"), "0");
    EXPECT_EQ(all[i].profile() == "stock", !all[i].parameters().contains("threads")) << "no profile has a say";
  }
  EXPECT_EQ(steps.size(), 1u);
}

TEST_F(TuneVerbTest, JsonIsOneDocument) {
  const CommandResult result = Run({"tune", "work", "--on", "lab-3", "--json"});
  const nlohmann::json board = nlohmann::json::parse(result.out).at("boards").at(0);
  EXPECT_EQ(board.at("is_own"), true);
  EXPECT_EQ(board.at("profile").at("settings").at("threads"), "2");
  EXPECT_EQ(board.at("profile").at("tried").at(0).at("name"), "threads=2");
}

TEST_F(TuneVerbTest, WhereNothingIsFasterTheWorkloadsOwnStay) {
  fastest_ = "none";
  const CommandResult result = Run({"tune", "work", "--on", "lab-3"});
  EXPECT_THAT(result.out, HasSubstr("nothing beats the workload's own tuned settings"));
  ASSERT_EQ(coordinator_.kept.size(), 1u);
  EXPECT_TRUE(coordinator_.kept.front().settings().empty());
}

TEST_F(TuneVerbTest, VaryMakesASearchForEachBoard) {
  const CommandResult result = Run({"tune", "work", "--on", "lab-3", "--vary", "size=3,4"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  ASSERT_EQ(coordinator_.kept.size(), 2u);
  EXPECT_EQ(coordinator_.kept[0].parameters().at("size"), "3");
  EXPECT_EQ(coordinator_.kept[1].parameters().at("size"), "4");
  EXPECT_EQ(coordinator_.called, "keep 2") << "in one request, so that it is all or none";
}

TEST_F(TuneVerbTest, WhereOneBoardFailsNothingIsKeptOfAny) {
  coordinator_.execute = [this](const v1::SubmitRequest& request) {
    return request.parameters().at("size") == "4" ? SampleFailure("f7v8q2m0") : Execute(request);
  };
  for (const bool is_json : {false, true}) {
    std::vector<std::string> command = {"tune", "work", "--on", "lab-3", "--vary", "size=3,4"};
    if (is_json) command.push_back("--json");
    const CommandResult result = Run(command);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(is_json ? result.out : result.err,
                AllOf(HasSubstr("board size=4: stock itself failed"), HasSubstr("nothing was kept")));
    EXPECT_THAT(result.out, Not(AnyOf(HasSubstr("is kept"), HasSubstr("use it"))));
    EXPECT_TRUE(coordinator_.kept.empty());
  }
}

TEST_F(TuneVerbTest, ASearchThatEndsEarlyInTheSecondBoardTakesItsRunsBack) {
  coordinator_.execute = [this](const v1::SubmitRequest& request) {
    if (request.parameters().at("size") == "4") coordinator_.lost_submits = 2;  // behind the pilot
    return Execute(request);
  };
  const CommandResult result = Run({"tune", "work", "--on", "lab-3", "--vary", "size=3,4"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.err, HasSubstr("; nothing was kept"));
  EXPECT_TRUE(coordinator_.kept.empty());
}

TEST_F(TuneVerbTest, RefusesWhatMakesNoSense) {
  ExpectRefusal({"tune"}, "a WORKLOAD");
  ExpectRefusal({"tune", "work"}, "--on NAME");
  ExpectRefusal({"tune", "work", "--on", "lab-2"}, "did you mean lab-3?");
  ExpectRefusal({"tune", "wrk", "--on", "lab-3"}, "did you mean work?");
  ExpectRefusal({"tune", "work", "--on", "lab-3", "--runtime", "libtorhc"}, "did you mean libtorch?");
  ExpectRefusal({"tune", "work", "--on", "lab-3", "--device", "cuda"}, "no device \"cuda\"");
  ExpectRefusal({"tune", "work", "--on", "lab-3", "--set", "siz=1"}, "did you mean size?");
  ExpectRefusal({"tune", "work", "--on", "lab-3", "--set", "threads=1"}, "threads is what the search varies");
  ExpectRefusal({"tune", "work", "--on", "lab-3", "--set", "duration_s=1"}, "the same number of steps");
  ExpectRefusal({"tune", "work", "--on", "lab-3", "--vary", "threads=1,2"}, "threads is what the search varies");
  ExpectRefusal({"tune", "work", "--on", "lab-3", "--vary", "seed=1,2"}, "seed does not define a board");
  ExpectRefusal({"tune", "work", "--on", "lab-3", "--vary", "size"}, "--vary size: it is not NAME=VALUE");
  ExpectRefusal({"tune", "work", "--on", "lab-3", "--vary", "size=1", "--set", "size=2"},
                "both in --set and in --vary");
  EXPECT_TRUE(coordinator_.all_submitted.empty());
}

TEST_F(TuneVerbTest, RefusesAMachineThatIsAwayOrTooOld) {
  v1::AgentInfo& agent = *coordinator_.agents.mutable_agents(0);
  agent.set_state("offline");
  agent.set_reason("it has not answered for 30 s");
  ExpectRefusal({"tune", "work", "--on", "lab-3"}, "lab-3 is offline: it has not answered");
  agent.set_state("idle");
  agent.clear_features();
  ExpectRefusal({"tune", "work", "--on", "lab-3"}, "too old");
}

TEST_F(TuneVerbTest, ABudgetBelowOneRoundSaysHowLongARoundTakes) {
  run_s_ = 2;
  ExpectRefusal({"tune", "work", "--on", "lab-3", "--budget", "20s"}, "one round of 3 candidates takes");
  EXPECT_EQ(coordinator_.all_submitted.size(), 1u) << "the pilot alone";
}

TEST_F(TuneVerbTest, ABudgetThatBoardsShareIsSpokenOfAsTheWhole) {
  run_s_ = 2;
  const std::vector<std::string> command = {"tune", "work", "--on", "lab-3", "--vary", "size=3,4", "--budget"};
  std::vector<std::string> short_one = command, advised = command;
  short_one.push_back("20s");
  const CommandResult result = Run(short_one);
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("the budget of 20 s is too short for 2 boards"), HasSubstr("for each board")));
  const size_t advice = result.err.find("--budget ");
  ASSERT_NE(advice, std::string::npos) << result.err;
  advised.push_back(std::to_string(std::atoi(result.err.c_str() + advice + 9)) + "s");
  EXPECT_EQ(Run(advised).exit_code, 0);
}

TEST_F(TuneVerbTest, OtherSeedsAreWithinTheBoundsAndNotAskedOfAWorkloadWithoutASeed) {
  coordinator_.execute = [this](const v1::SubmitRequest& request) {
    v1::RunInfo run = Execute(request);
    v1::Metric& loss = *run.mutable_result()->add_metrics();
    loss.set_name("loss");
    loss.set_value(request.profile() == "stock" ? 0.5 : 0.6);
    return run;
  };
  v1::WorkloadSpec& workload =
      *coordinator_.agents.mutable_agents(0)->mutable_runtimes(0)->mutable_description()->mutable_workloads(0);
  v1::ParameterSpec& seed = *workload.mutable_parameters(3);
  ASSERT_EQ(seed.name(), "seed");
  seed.set_max(9);
  ASSERT_EQ(Run({"tune", "work", "--on", "lab-3", "--set", "seed=8"}).exit_code, 0);
  std::set<std::string> seeds;
  for (const v1::SubmitRequest& request : coordinator_.all_submitted) seeds.insert(request.parameters().at("seed"));
  EXPECT_THAT(seeds, ElementsAre("0", "1", "8", "9"));
  seed.set_name("sead");
  const size_t before = coordinator_.all_submitted.size();
  const CommandResult result = Run({"tune", "work", "--on", "lab-3"});
  EXPECT_THAT(result.out, Not(HasSubstr("other seeds, for the spread")));
  EXPECT_GT(coordinator_.all_submitted.size(), before);
  EXPECT_THAT(coordinator_.kept.back().tried(1).why(), HasSubstr("without a seed"));
}

TEST_F(TuneVerbTest, AStockThatFailsIsExitCode1AndNothingIsKept) {
  coordinator_.execute = [](const v1::SubmitRequest&) { return SampleFailure("f7v8q2m0"); };
  const CommandResult result = Run({"tune", "work", "--on", "lab-3"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, AllOf(HasSubstr("stock itself failed"), HasSubstr("MNIST is not in"), HasSubstr("hint: ")));
  EXPECT_TRUE(coordinator_.kept.empty());
}

TEST_F(TuneVerbTest, ARoundThatCannotBeSubmittedWholeIsTakenBack) {
  coordinator_.execute = [this](const v1::SubmitRequest& request) {
    if (coordinator_.all_submitted.size() == 3) coordinator_.lost_submits = 2;  // behind the pilot and two of a round
    return Execute(request);
  };
  const CommandResult result = Run({"tune", "work", "--on", "lab-3"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.err, HasSubstr("its runs were cancelled; nothing was kept"));
  EXPECT_THAT(coordinator_.cancelled.ids(), ElementsAre("job-2", "job-3"));
  EXPECT_TRUE(coordinator_.kept.empty());
}

TEST_F(TuneVerbTest, ListsAndForgets) {
  EXPECT_THAT(Run({"tune", "--list"}).out, HasSubstr("no profiles are kept; find one: fleetmark tune"));
  coordinator_.profiles = {SampleProfile()};
  EXPECT_THAT(Run({"tune", "--list", "mnist_cnn", "--on", "lab-3", "--set", "batch=64"}).out,
              AllOf(HasSubstr("allocator=retain threads=1"), HasSubstr("pinning=close")));
  EXPECT_EQ(coordinator_.profile_filter.agent(), "lab-3");
  EXPECT_EQ(coordinator_.profile_filter.parameters().at("batch"), "64");
  EXPECT_EQ(nlohmann::json::parse(Run({"tune", "--list", "--json"}).out).at("profiles").size(), 1u);
  EXPECT_EQ(Run({"tune", "mnist_cnn", "--on", "lab-3", "--forget"}).exit_code, 0);
  EXPECT_EQ(coordinator_.called, "forget mnist_cnn on lab-3");
  EXPECT_EQ(Run({"tune", "--forget", "--list"}).exit_code, 2);
}

}  // namespace
}  // namespace fleetmark
