#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "agent/journal.h"
#include "common/sha256.h"
#include "tests/fakes/power_cut_trial.h"

// The journal on a disk that loses, tears and reorders what was not synced. Long mode: FLEETMARK_POWER_CUT_STEP=1.
namespace fleetmark::agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Fate = PowerCutDisk::Fate;

constexpr int kTransactions = 200;
constexpr size_t kReportBytes = 100'000;

// The life of one attempt after the other, as AgentCore writes it: accepted, spawned, reported, acknowledged.
std::vector<JournalWrite> WritesOf(int number) {
  const int life = (number - 1) / 4;
  const std::string id = "attempt-" + std::to_string(life);
  Attempt attempt;
  attempt.request.set_attempt_id(id);
  attempt.request.set_run_id("run-" + std::to_string(life));
  attempt.request.mutable_spec()->set_workload("tensor_add");
  attempt.accepted_unix_s = number;
  switch (number % 4) {
    case 1:
      return {PutFence{{"cluster", 1, "instance", static_cast<double>(number)}}, PutAttempt{attempt}};
    case 2:
      attempt.process = ProcessIdentity{number, 77, "boot"};
      return {PutAttempt{attempt}};
    case 3: {
      PutReport report{id, "", std::string(kReportBytes, static_cast<char>('a' + life % 26))};
      report.sha256 = Sha256Hex(report.bytes);
      return {report};
    }
    default: {
      RetiredAttempt retired;
      retired.reason = "succeeded";
      retired.keep_until.set_boot_id("boot");
      std::vector<JournalWrite> writes = {RetireAttempt{id, retired}, PutDraining{life % 2 == 0}};
      if (life >= 10) writes.push_back(ForgetRetired{"attempt-" + std::to_string(life - 10)});
      return writes;
    }
  }
}

class JournalLedger : public Ledger {
 public:
  explicit JournalLedger(const char* pragma = nullptr, bool is_comparing_lives = false)
      : pragma_(pragma), is_comparing_lives_(is_comparing_lives) {}
  Status Open(const std::filesystem::path& root) override {
    FLEETMARK_ASSIGN_OR_RETURN(opened_, Journal::Open(root, 7));
    if (!opened_.warning.empty()) return DataLoss(opened_.warning);
    if (pragma_ != nullptr) opened_.journal->database().exec(pragma_);
    return OkStatus();
  }
  Status Commit(int number) override { return opened_.journal->Commit(WritesOf(number)); }
  std::string Contents() override {
    return ContentsOf(opened_.journal->database(), is_comparing_lives_ ? "incarnation" : "");
  }

 private:
  const char* const pragma_;
  const bool is_comparing_lives_;  // each new journal has an incarnation of its own
  Journal::Opened opened_;
};

std::unique_ptr<Ledger> MakeJournal() { return std::make_unique<JournalLedger>(); }

TEST(JournalPowerCut, NothingThatWasCommittedIsLostAndNothingIsHalfThere) {
  const Recording recording = Record(MakeJournal, kTransactions);
  ASSERT_EQ(recording.contents.size(), kTransactions + 1u);
  EXPECT_GE(recording.checkpoints, 2) << "the log must be written back under it";
  CutOptions options;
  options.step = StepFromEnvironment(101);
  options.fates = {Fate::kLost, Fate::kKept, Fate::kInOrder, Fate::kAnyOrder};
  if (options.step == 1) options.fates.insert(options.fates.end(), 4, Fate::kAnyOrder);
  const CutOutcome outcome = CutEverywhere(recording, MakeJournal, options);
  EXPECT_THAT(outcome.losses, IsEmpty());
  std::printf("%d cuts at %zu steps\n", outcome.cuts, recording.steps.size());
}

// The test of the test: without a sync at each commit the same cuts lose what was acknowledged.
TEST(JournalPowerCut, WouldLoseRowsWithoutASyncAtEachCommit) {
  for (const char* pragma : {"PRAGMA synchronous=NORMAL", "PRAGMA synchronous=OFF"}) {
    const MakeLedger make = [&] { return std::make_unique<JournalLedger>(pragma); };
    const Recording recording = Record(make, 20);
    EXPECT_FALSE(CutEverywhere(recording, make, {17, {Fate::kLost, Fate::kAnyOrder}}).losses.empty()) << pragma;
  }
}

TEST(JournalPowerCut, WouldBeCorruptOnADiskThatDoesNotSync) {
  const Recording recording = Record(MakeJournal, kTransactions, true);
  EXPECT_FALSE(CutEverywhere(recording, MakeJournal, {101, {Fate::kAnyOrder}}).losses.empty());
}

TEST(JournalPowerCut, AFullOrFailingDiskIsToldAndHarmsNothing) {
  for (const int error : {SQLITE_FULL, SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC, SQLITE_IOERR_TRUNCATE}) {
    int failures = 0;
    // Written back all the time, so that this fails too.
    const MakeLedger make = [] { return std::make_unique<JournalLedger>("PRAGMA wal_autocheckpoint=20", true); };
    EXPECT_THAT(FailEverywhere(make, 12, error, StepFromEnvironment(29), &failures), IsEmpty()) << error;
    EXPECT_GT(failures, 0) << error;
  }
}

// It says nothing about what stands there: to begin a new journal for it would lose the reports.
TEST(JournalPowerCut, APlaceThatCannotBeReadIsToldAndTheJournalKept) {
  PowerCutMachine machine;
  {
    const auto opened = Journal::Open(machine.root(), 1);
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    for (int number = 1; number <= 3; ++number) ASSERT_TRUE(opened->journal->Commit(WritesOf(number)).ok());
  }
  const uint64_t size = machine.disk().Contents("journal.db").size();
  ASSERT_GT(size, kReportBytes);
  int failures = 0;
  for (uint64_t bad = 0; bad < size; bad += 4096) {
    machine.fail_read = [bad](uint64_t offset) { return offset == bad ? SQLITE_IOERR_READ : SQLITE_OK; };
    const auto opened = Journal::Open(machine.root(), 2);
    machine.fail_read = nullptr;
    failures += opened.ok() ? 0 : 1;
    if (!opened.ok()) {
      EXPECT_THAT(opened.status().hint(), HasSubstr("dmesg")) << bad << ": " << opened.status().ToString();
    }
  }
  EXPECT_GT(failures, 20);
  EXPECT_EQ(1, Journal::Open(machine.root(), 3)->contents.attempts.size());
}

}  // namespace
}  // namespace fleetmark::agent
