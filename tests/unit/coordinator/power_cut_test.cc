#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "common/sha256.h"
#include "coordinator/sqlite_store.h"
#include "tests/fakes/power_cut_trial.h"

// The store on a disk that loses, tears and reorders what was not synced. Long mode: FLEETMARK_POWER_CUT_STEP=1.
namespace fleetmark {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using Fate = PowerCutDisk::Fate;

constexpr int kTransactions = 200;
constexpr size_t kSamples = 4'000;

std::string Id(const char* what, int number) { return std::string(what) + "-" + std::to_string(number); }

AgentRecord MakeAgent(double seen_unix_s) {
  AgentRecord agent;
  agent.agent_id = "agent";
  agent.address = "lab:7810";
  agent.description.set_name("lab");
  agent.last_seen_unix_s = seen_unix_s;
  return agent;
}

RunRecord MakeRun(int job, RunState state) {
  RunRecord run;
  run.run_id = Id("run", job);
  run.job_id = Id("job", job);
  run.target_agent_id = run.agent_id = "agent";
  run.spec.set_workload("tensor_add");
  run.spec.set_device("cpu");
  run.device_kind = "cpu";
  run.board = "n=256";
  run.state = state;
  run.attempts = state == RunState::kQueued ? 0 : 1;
  return run;
}

AttemptRecord MakeAttempt(int job, AttemptState state) {
  AttemptRecord attempt;
  attempt.attempt_id = Id("attempt", job);
  attempt.run_id = Id("run", job);
  attempt.agent_id = "agent";
  attempt.incarnation = "first";
  attempt.state = state;
  return attempt;
}

PutReport MakeReport(int job) {
  auto report = std::make_shared<v1::AttemptReport>();
  report->set_attempt_id(Id("attempt", job));
  report->set_outcome("succeeded");
  v1::Metric* metric = report->mutable_result()->add_metrics();
  metric->set_name("it_per_s");
  metric->set_value(job);
  for (size_t i = 0; i < kSamples; ++i) report->mutable_result()->add_samples()->add_values(0.25 * job);
  PutReport write;
  write.attempt_id = Id("attempt", job);
  write.run_id = Id("run", job);
  write.bytes = report->SerializeAsString();
  write.sha256 = Sha256Hex(write.bytes);
  write.report = report;
  write.is_canonical = true;
  write.log = std::string(2'000, 'l');
  return write;
}

// One job after the other, as CoordinatorCore writes it: submitted, dispatched, running, stored, with all that belongs
// to each step in one transaction.
std::vector<Write> WritesOf(int number) {
  const int job = (number - 1) / 4;
  switch (number % 4) {
    case 1: {
      JobRecord record;
      record.job_id = Id("job", job);
      record.sequence = job + 1;
      record.request.set_request_id(Id("request", job));
      record.request.set_workload("tensor_add");
      return {PutAgent{MakeAgent(number)}, PutJob{record, {{"n", "256"}}}, PutRun{MakeRun(job, RunState::kQueued)}};
    }
    case 2:
      return {PutRun{MakeRun(job, RunState::kQueued)}, PutAttempt{MakeAttempt(job, AttemptState::kDispatched)}};
    case 3:
      return {PutRun{MakeRun(job, RunState::kRunning)}, PutAttempt{MakeAttempt(job, AttemptState::kRunning)},
              KeepReport{Id("stray", job), "sha", std::string(500, 's'), "unknown_attempt", 1}};
    default:
      return {PutRun{MakeRun(job, RunState::kSucceeded)}, PutAttempt{MakeAttempt(job, AttemptState::kStored)},
              MakeReport(job)};
  }
}

// With readers, who are there while the log is written back and begun anew.
class StoreLedger : public Ledger {
 public:
  Status Open(const std::filesystem::path& root) override {
    path_ = root / "coordinator.db";
    FLEETMARK_ASSIGN_OR_RETURN(store_, OpenSqliteStore(path_));
    FLEETMARK_RETURN_IF_ERROR(store_->Load().status());
    reader_ = MakeSqliteReader(path_);
    return reader_->ListJobs(0, true).status();
  }
  Status Commit(int number) override {
    FLEETMARK_RETURN_IF_ERROR(store_->Commit(WritesOf(number)));
    if (number % 8 == 0) {
      EXPECT_TRUE(reader_->ListRuns({}, 3, ResultDetail::kBrief).ok());
    }
    return OkStatus();
  }
  std::string Contents() override {
    SQLite::Database database(path_.string(), SQLite::OPEN_READONLY);
    return ContentsOf(database);
  }

 private:
  std::filesystem::path path_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<StoreReader> reader_;
};

std::unique_ptr<Ledger> MakeStore() { return std::make_unique<StoreLedger>(); }

TEST(StorePowerCut, NothingThatWasCommittedIsLostAndNothingIsHalfThere) {
  const Recording recording = Record(MakeStore, kTransactions);
  ASSERT_EQ(recording.contents.size(), kTransactions + 1u);
  EXPECT_GE(recording.checkpoints, 2) << "the log must be written back under it";
  CutOptions options;
  options.step = StepFromEnvironment(127);
  options.fates = {Fate::kLost, Fate::kKept, Fate::kInOrder, Fate::kAnyOrder};
  if (options.step == 1) options.fates.insert(options.fates.end(), 4, Fate::kAnyOrder);
  const CutOutcome outcome = CutEverywhere(recording, MakeStore, options);
  EXPECT_THAT(outcome.losses, IsEmpty());
  std::printf("%d cuts at %zu steps\n", outcome.cuts, recording.steps.size());
}

// The test of the test: what synchronous=OFF comes to.
TEST(StorePowerCut, WouldLoseRowsOnADiskThatDoesNotSync) {
  const Recording recording = Record(MakeStore, 40, true);
  EXPECT_FALSE(CutEverywhere(recording, MakeStore, {61, {Fate::kLost, Fate::kAnyOrder}}).losses.empty());
}

TEST(StorePowerCut, AFullOrFailingDiskIsToldAndHarmsNothing) {
  for (const int error : {SQLITE_FULL, SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC, SQLITE_IOERR_TRUNCATE}) {
    int failures = 0;
    EXPECT_THAT(FailEverywhere(MakeStore, 8, error, StepFromEnvironment(41), &failures), IsEmpty()) << error;
    EXPECT_GT(failures, 0) << error;
  }
}

// Of all runs with their samples, by a coordinator that starts on the store; the status of what could not be told.
StatusOr<std::string> AskForAll(const std::filesystem::path& path) {
  FLEETMARK_ASSIGN_OR_RETURN(const std::unique_ptr<Store> store, OpenSqliteStore(path));
  FLEETMARK_RETURN_IF_ERROR(store->Load().status());
  FLEETMARK_ASSIGN_OR_RETURN(const auto runs, MakeSqliteReader(path)->ListRuns({}, 0, ResultDetail::kComplete));
  std::string all;
  for (const v1::RunInfo& run : runs) all += run.SerializeAsString();
  return all;
}

TEST(StorePowerCut, APlaceThatCannotBeReadIsToldAndNothingIsLeftOutForIt) {
  PowerCutMachine machine;
  {
    StoreLedger ledger;
    ASSERT_TRUE(ledger.Open(machine.root()).ok());
    for (int number = 1; number <= 40; ++number) ASSERT_TRUE(ledger.Commit(number).ok());
  }
  const std::filesystem::path path = machine.root() / "coordinator.db";
  const auto all = AskForAll(path);
  ASSERT_TRUE(all.ok()) << all.status().ToString();
  const uint64_t size = machine.disk().Contents("coordinator.db").size();
  ASSERT_GT(size, 10 * kSamples * sizeof(double));
  int failures = 0;
  for (uint64_t bad = 0; bad < size; bad += 4096) {
    machine.fail_read = [bad](uint64_t offset) { return offset == bad ? SQLITE_IOERR_READ : SQLITE_OK; };
    const auto told = AskForAll(path);
    machine.fail_read = nullptr;
    if (told.ok()) {
      EXPECT_EQ(*all, *told) << bad;
      continue;
    }
    ++failures;
    EXPECT_THAT(told.status().hint(), HasSubstr("dmesg")) << bad << ": " << told.status().ToString();
  }
  EXPECT_GT(failures, 20);
  EXPECT_EQ(*all, *AskForAll(path));
}

}  // namespace
}  // namespace fleetmark
