// What the agent makes of each way in which a runner can behave.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>

#include "agent/event_collector.h"
#include "agent/process_table.h"
#include "agent/run_log.h"
#include "agent/worker_report.h"
#include "common/files.h"
#include "common/run_spec.h"
#include "common/worker_protocol.h"
#include "tests/unit/agent/agent_fixture.h"

namespace fleetmark::agent {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct Behaviour {
  const char* workload;
  const char* kind;
  const char* message;
};
class MisbehavingRunner : public AgentTest, public testing::WithParamInterface<Behaviour> {};

TEST_P(MisbehavingRunner, IsExplainedAndTheMachineGoesOn) {
  const v1::AttemptReport report = Run(GetParam().workload);
  EXPECT_EQ("failed", report.outcome());
  EXPECT_EQ(GetParam().kind, report.failure().kind()) << report.failure().message();
  EXPECT_THAT(report.failure().message(), HasSubstr(GetParam().message));
  EXPECT_FALSE(report.retryable());
  EXPECT_FALSE(report.has_result());
  EXPECT_EQ("succeeded", Run("noop").outcome());
}

INSTANTIATE_TEST_SUITE_P(
    All, MisbehavingRunner,
    testing::Values(Behaviour{"crash", "crash", "SIGSEGV"}, Behaviour{"exit", "crash", "exit code 3"},
                    Behaviour{"fail", "data_missing", "no data"},
                    Behaviour{"rubbish", "protocol", "line 2 of the runner's events, \"?rubbish}\""},
                    Behaviour{"flood_events", "protocol", "more than 64 MiB"},
                    Behaviour{"giant_line", "protocol", "line 1 of the runner's events is longer"},
                    Behaviour{"out_of_memory", "out_of_memory", "exit code 103"},
                    Behaviour{"killed", "crash", "SIGKILL by somebody on that machine"},
                    Behaviour{"no_result", "protocol", "without a result"},
                    Behaviour{"silent", "protocol", "without sending any event"}),
    [](const auto& param) { return param.param.workload; });

TEST_F(AgentTest, ACrashBringsSignalAndStderr) {
  const v1::AttemptReport report = Run("crash");
  EXPECT_EQ("SIGSEGV", report.signal());
  EXPECT_THAT(report.stderr_tail(), HasSubstr("about to crash"));
  EXPECT_THAT(report.failure().message(), HasSubstr("MiB at its peak"));
}

TEST(WorkerReport, AKillIsTheKernelsOnlyWhereTheKernelSaysSo) {
  WorkerObservation observation;
  observation.exit.wait_status = SIGKILL;  // ended by that signal
  const TemporaryDirectory directory;
  const auto failure_with = [&](double oom_kills) {
    observation.oom_kills = oom_kills;
    return DraftReport(observation, EventCollector([](v1::RunEvent) {}), RunLog(directory.path() / "log")).failure();
  };
  EXPECT_EQ("out_of_memory", failure_with(1).kind());
  EXPECT_EQ("crash", failure_with(0).kind());
  EXPECT_THAT(failure_with(0).message(), HasSubstr("not for want of memory"));
  EXPECT_EQ("crash", failure_with(-1).kind());
  EXPECT_THAT(failure_with(-1).message(), HasSubstr("or by the kernel"));
}

TEST_F(AgentTest, TheDeviceThatARunnerDoesNotNameIsFilledIn) {
  const v1::Device device = Run("noop").result().environment().device();
  EXPECT_EQ("cpu", device.name());
  EXPECT_EQ("cpu", device.kind());
}

TEST_F(AgentTest, ANanIsKept) {
  const v1::AttemptReport report = Run("nan_metric");
  EXPECT_EQ("succeeded", report.outcome());
  EXPECT_TRUE(std::isnan(report.result().metrics(0).value()));
}

TEST_F(AgentTest, AFloodOfProgressIsThinnedOut) {
  EXPECT_EQ("succeeded", Run("flood_progress").outcome());
  EXPECT_LT(loop_->watch_hub().Wait("attempt-1", 1, std::chrono::milliseconds(0)).events.back().seq(), 2000);
}

TEST_F(AgentTest, AFloodOfStderrIsCappedAndItsEndKept) {
  const v1::AttemptReport report = Run("flood_stderr");
  EXPECT_EQ("succeeded", report.outcome());
  EXPECT_THAT(report.stderr_tail(), HasSubstr("the last line ?"));
  const std::string log = *ReadFile(loop_->LogPath("attempt-1"));
  EXPECT_EQ(report.log_bytes(), static_cast<double>(log.size()));
  EXPECT_LT(log.size(), RunLog::kHeadLimit + RunLog::kTailLimit + 100);
  EXPECT_THAT(log.substr(RunLog::kHeadLimit, 100), HasSubstr("bytes are left out here"));
  EXPECT_THAT(log.substr(log.size() - 100), HasSubstr("fake: done"));
}

TEST_F(AgentTest, NothingThatAWorkerStartedOutlivesIt) {
  for (const char* workload : {"daemonise", "run_away"}) {
    EXPECT_EQ("succeeded", Run(workload).outcome());
    // Anything left would hold the lock that it inherited.
    EXPECT_EQ("succeeded", Run("noop").outcome()) << "after " << workload;
    EXPECT_EQ(-1, waitpid(-1, nullptr, WNOHANG)) << "not even a zombie of " << workload;
  }
}

TEST_F(AgentTest, AWorkerGetsACleanWorld) {
  setenv("FLEETMARK_TEST_SECRET", "1", 1);
  const int not_for_workers = dup(STDIN_FILENO);  // as a library may leave one, without close-on-exec
  const v1::AttemptReport report = Run("inspect", {{"threads", "3"}});
  const auto& notes = report.result().summary().notes();
  EXPECT_THAT(notes, Contains("OMP_NUM_THREADS=3"));
  EXPECT_THAT(notes, Contains("dataset_dir=/data"));
  EXPECT_THAT(notes, Contains("own_group=yes"));
  EXPECT_THAT(notes, Contains("death_signal=" + std::to_string(SIGKILL)));
  EXPECT_THAT(notes, Contains("descriptors=5")) << "0, 1, 2, its events and its lock";
  close(not_for_workers);
  EXPECT_THAT(notes, Not(Contains(StartsWith("FLEETMARK_TEST_SECRET"))));
  EXPECT_THAT(notes, Not(Contains(StartsWith("GLIBC_TUNABLES"))));
}

TEST_F(AgentTest, TheTunedProfileRetainsMemoryAndSetsThreads) {
  v1::StartRunRequest request = Request("a", "inspect");
  request.mutable_spec()->set_profile("tuned");
  request.set_spec_sha256(SpecSha256(request.spec()));
  ASSERT_TRUE(loop_->StartRun(request).ok());
  const v1::AttemptReport report = WaitForReport("a");
  EXPECT_THAT(report.result().summary().notes(), Contains(std::string("GLIBC_TUNABLES=") + kRetainTunables));
  EXPECT_THAT(report.result().summary().notes(), Contains(StartsWith("OMP_NUM_THREADS=")));
}

TEST_F(AgentTest, APinnedWorkerIsToldSoBeforeItStarts) {
  const v1::AttemptReport report = Run("inspect", {{"pinning", "spread"}});
  EXPECT_THAT(report.result().summary().notes(), Contains("OMP_PROC_BIND=spread"));
  EXPECT_THAT(report.result().summary().notes(), Contains("OMP_PLACES=cores"));
  EXPECT_THAT(report.result().summary().notes(), Contains(StartsWith("OMP_NUM_THREADS=")))
      << "once pinned it could not count the cores";
  EXPECT_THAT(Run("inspect").result().summary().notes(), Not(Contains(StartsWith("OMP_"))));
}

TEST_F(AgentTest, ARunnerThatCannotBeExecutedIsNotTheWorkloadsFault) {
  loop_.reset();
  AgentLoop::Options options = Options();
  options.runners["fake"] = directory_.path() / "gone";
  StartLoop(options);
  const v1::AttemptReport report = Run("noop");
  EXPECT_EQ("spawn_failed", report.failure().kind());
  EXPECT_TRUE(report.retryable());
}

WorkerCommand Touch(const std::filesystem::path& file) {
  WorkerCommand command;
  command.program = "/bin/touch";
  command.arguments = {file.string()};
  command.directory = "/";
  return command;
}

TEST(WorkerGate, TheProgramRunsOnceItIsOpen) {
  const TemporaryDirectory directory;
  auto worker = WorkerProcess::Fork(Touch(directory.path() / "ran"));
  ASSERT_TRUE(worker.ok());
  (*worker)->OpenGate();
  EXPECT_EQ(0, (*worker)->Reap().wait_status);
  EXPECT_TRUE(std::filesystem::exists(directory.path() / "ran"));
}

TEST(WorkerGate, TheProgramNeverRunsWhenTheAgentDiesBeforeItIsOpen) {
  const TemporaryDirectory directory;
  prctl(PR_SET_CHILD_SUBREAPER, 1);  // the orphan becomes a child of this test, which can wait for its end
  for (int round = 0; round < 20; ++round) {
    const int agent = fork();
    if (agent == 0) {
      const auto worker = WorkerProcess::Fork(Touch(directory.path() / "ran"));
      _exit(worker.ok() ? 0 : 1);  // without destructors, as a kill ends it
    }
    int status = -1;
    ASSERT_EQ(agent, waitpid(agent, &status, 0));
    ASSERT_EQ(0, status);
    while (waitpid(-1, nullptr, 0) > 0) {
    }
    ASSERT_FALSE(std::filesystem::exists(directory.path() / "ran")) << "in round " << round;
  }
}

// The same without the parent-death signal's help: the gate alone must hold.
TEST(WorkerGate, TheProgramNeverRunsWhenTheGateClosesUnopened) {
  const TemporaryDirectory directory;
  const int agent = fork();
  if (agent == 0) {
    const auto worker = WorkerProcess::Fork(Touch(directory.path() / "ran"));
    close_range(3, ~0U, 0);
    int ended = 0;
    waitpid((*worker)->pid(), &ended, 0);
    _exit(WIFEXITED(ended) ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(agent, waitpid(agent, &status, 0));
  EXPECT_EQ(0, status) << "it ended by itself";
  EXPECT_FALSE(std::filesystem::exists(directory.path() / "ran"));
}

TEST(ProcessTable, AStaleKillSparesAProcessThatOnlyHasThePid) {
  const int child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  setpgid(child, child);
  ProcessIdentity identity = *IdentifyProcess(child, "boot");
  ++identity.start_ticks;  // the recorded one was another
  EXPECT_TRUE(KillStaleProcesses("no-such-attempt", identity, 1));
  EXPECT_EQ(0, kill(child, 0));
  EXPECT_EQ(0, waitpid(child, nullptr, WNOHANG)) << "it still runs";
  --identity.start_ticks;
  KillStaleProcesses("no-such-attempt", identity, 1);
  int status = 0;
  EXPECT_EQ(child, waitpid(child, &status, 0));
  EXPECT_EQ(SIGKILL, WTERMSIG(status));
}

TEST(EventCollector, TakesLinesCutAnywhere) {
  EventCollector events([](v1::RunEvent) {});
  const std::string text = R"({"metric":{"name":"loss","value":1}}
{"metric":{"name":"loss","value":2}}
{"result":{"primary_metric":"loss"}})";
  for (const char byte : text) EXPECT_TRUE(events.Feed(std::string_view(&byte, 1)));
  events.Finish();
  EXPECT_EQ("", events.breach());
  ASSERT_EQ(1, events.result().metrics_size());
  EXPECT_EQ(2, events.result().metrics(0).value());
  EXPECT_EQ("loss", events.result().primary_metric());
}

TEST(EventCollector, FollowsTheMeasuredPart) {
  using Part = EventCollector::Part;
  EventCollector events([](v1::RunEvent) {});
  const std::pair<const char*, Part> course[] = {
      {R"({"phase":{"name":"warm-up"}})", Part::kBefore},    {R"({"metric":{"name":"early"}})", Part::kBefore},
      {R"({"phase":{"name":"measure"}})", Part::kMeasured},  {R"({"progress":{"done":1}})", Part::kMeasured},
      {R"({"metric":{"name":"so far"}})", Part::kMeasured},  {R"({"samples":{"name":"chunk"}})", Part::kMeasured},
      {R"({"phase":{"name":"evaluate"}})", Part::kMeasured}, {R"({"training_epoch":{"epoch":1}})", Part::kMeasured},
      {R"({"phase":{"name":"measure"}})", Part::kMeasured},  {R"({"phase":{"name":"finish"}})", Part::kBehind},
      {R"({"metric":{"name":"m"}})", Part::kBehind},         {R"({"phase":{"name":"measure"}})", Part::kBehind}};
  for (const auto& [line, part] : course) {
    events.Feed(std::string(line) + "\n");
    EXPECT_EQ(part, events.part()) << line;
  }
  for (const char* end : {R"({"result":{}})", R"({"error":{}})"}) {
    EventCollector without_finish([](v1::RunEvent) {});
    without_finish.Feed("{\"phase\":{\"name\":\"measure\"}}\n" + std::string(end) + "\n");
    EXPECT_EQ(Part::kBehind, without_finish.part()) << end;
  }
}

TEST(EventCollector, SaysWhatBreaksTheProtocol) {
  const std::pair<const char*, const char*> cases[] = {
      {"{\"result\":{}}\n{\"phase\":{}}\n", "comes after its last one"},
      {"{}\n", "holds no event"},
      {"{\"phse\":{}}\n", "line 1"},
      {"{\"samples\":{\"name\":\"s\",\"values\":[1]}}\n{\"samples\":{\"name\":\"s\",\"first\":7,\"values\":[1]}}\n",
       "gap"}};
  for (const auto& [text, words] : cases) {
    EventCollector events([](v1::RunEvent) {});
    EXPECT_FALSE(events.Feed(text)) << text;
    EXPECT_THAT(events.breach(), HasSubstr(words));
  }
}

TEST(ValidUtf8, ReplacesOnlyWhatIsNone) {
  EXPECT_EQ("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", ValidUtf8("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"));
  EXPECT_EQ("??x?", ValidUtf8("\xff\xc3x\xe2"));
  EXPECT_EQ("??", ValidUtf8("\xc0\xaf")) << "overlong";
  EXPECT_EQ("???", ValidUtf8("\xed\xa0\x80")) << "a surrogate";
}

}  // namespace
}  // namespace fleetmark::agent
