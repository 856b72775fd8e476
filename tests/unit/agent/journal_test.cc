#include "agent/journal.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "agent/agent_loop.h"
#include "common/sqlite_database.h"
#include "tests/unit/agent/agent_fixture.h"

namespace fleetmark::agent {
namespace {

using testing::HasSubstr;

Attempt SomeAttempt() {
  Attempt attempt;
  attempt.request.set_attempt_id("a");
  attempt.request.set_run_id("run");
  attempt.request.set_spec_sha256("hash");
  attempt.accepted_unix_s = 5;
  return attempt;
}

class JournalTest : public testing::Test {
 protected:
  Journal::Opened Open() {
    auto opened = Journal::Open(directory_.path(), 7);
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    return *std::move(opened);
  }
  TemporaryDirectory directory_;
};

TEST_F(JournalTest, GivesBackWhatWasCommitted) {
  std::string incarnation;
  {
    Journal::Opened opened = Open();
    incarnation = opened.contents.incarnation;
    Attempt spawned = SomeAttempt();
    spawned.process = ProcessIdentity{42, 77, "boot"};
    spawned.cause = EndCause::kCancelled;
    spawned.reason = "enough";
    RetiredAttempt retired;
    retired.is_tombstone = true;
    retired.keep_until.set_boot_id("boot");
    retired.keep_until.set_boottime_ns(99);
    EXPECT_TRUE(opened.journal
                    ->Commit({PutAttempt{SomeAttempt()}, PutAttempt{spawned}, RetireAttempt{"t", retired},
                              PutFence{{"cluster", 3, "instance", 4.5}}, PutDraining{true}})
                    .ok());
  }
  const JournalContents contents = Open().contents;
  EXPECT_EQ(incarnation, contents.incarnation);
  const Attempt& attempt = contents.attempts.at("a");
  EXPECT_EQ(AttemptState::kRunning, attempt.state);
  EXPECT_EQ(42, attempt.process->pid);
  EXPECT_EQ(77, attempt.process->start_ticks);
  EXPECT_EQ("boot", attempt.process->boot_id);
  EXPECT_EQ(EndCause::kCancelled, attempt.cause);
  EXPECT_EQ("enough", attempt.reason);
  EXPECT_EQ("hash", attempt.request.spec_sha256());
  EXPECT_EQ(99, contents.retired.at("t").keep_until.boottime_ns());
  EXPECT_EQ(4.5, contents.fence.seq);
  EXPECT_EQ(3, contents.fence.coordinator_epoch);
  EXPECT_TRUE(contents.is_draining);
}

TEST_F(JournalTest, KeepsAReportUntilItsAttemptIsRetired) {
  Journal::Opened opened = Open();
  const std::string bytes("re\0port", 7);
  ASSERT_TRUE(opened.journal->Commit({PutAttempt{SomeAttempt()}, PutReport{"a", "sha", bytes}}).ok());
  EXPECT_EQ(bytes, opened.journal->ReadReport("a")->bytes);
  EXPECT_EQ(7, Journal::Open(directory_.path(), 7)->contents.attempts.at("a").report_bytes);
  ASSERT_TRUE(opened.journal->Commit({RetireAttempt{"a", {}}}).ok());
  EXPECT_EQ(StatusCode::kNotFound, opened.journal->ReadReport("a").status().code());
}

TEST_F(JournalTest, MovesACorruptOneAsideAndBeginsANewIncarnation) {
  const std::string incarnation = Open().contents.incarnation;
  std::ofstream(directory_.path() / "journal.db") << std::string(8192, 'x');
  const Journal::Opened opened = Open();
  EXPECT_NE(incarnation, opened.contents.incarnation);
  EXPECT_THAT(opened.warning, HasSubstr("journal.db.corrupt-7"));
  EXPECT_TRUE(std::filesystem::exists(directory_.path() / "journal.db.corrupt-7"));
}

TEST_F(JournalTest, MovesOneThatLacksATableOrMixesUpItsAttemptsAside) {
  for (const char* damage :
       {"DROP TABLE retired", "UPDATE attempts SET attempt_id = 'b'", "PRAGMA user_version = 0",
        "INSERT OR REPLACE INTO meta VALUES ('cluster_id', 'c'), ('coordinator_epoch', '1e300')",
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, '''RESULT''', '''RESULX''')",
        "ALTER TABLE retired ADD COLUMN mine TEXT"}) {
    ASSERT_TRUE(Open().journal->Commit({PutAttempt{SomeAttempt()}}).ok());
    Open().journal->database().exec(damage);
    EXPECT_THAT(Open().warning, HasSubstr("journal.db.corrupt-7")) << damage;
  }
}

TEST_F(JournalTest, RefusesANewerSchemaByName) {
  Open().journal->database().exec("PRAGMA user_version = 99");
  const auto opened = Journal::Open(directory_.path(), 7);
  EXPECT_EQ("newer_schema", opened.status().kind());
  EXPECT_THAT(opened.status().message(), HasSubstr("99"));
}

TEST_F(JournalTest, AFullDiskLosesTheWholeBatchAndNothingElse) {
  Journal::Opened opened = Open();
  ASSERT_TRUE(opened.journal->Commit({PutAttempt{SomeAttempt()}}).ok());
  opened.journal->database().exec("PRAGMA max_page_count = 1");  // SQLite takes the size it has
  const Status status = opened.journal->Commit({PutDraining{true}, PutReport{"a", "sha", std::string(1 << 20, 'r')}});
  EXPECT_EQ(StatusCode::kResourceExhausted, status.code());
  EXPECT_EQ("disk_full", status.kind());
  opened.journal->database().exec("PRAGMA max_page_count = 1000000");
  EXPECT_TRUE(opened.journal->Commit({PutFence{{"cluster", 1, "i", 1}}}).ok());
  EXPECT_FALSE(Open().contents.is_draining);
}

TEST_F(JournalTest, LeavingForgetsTheCluster) {
  Journal::Opened opened = Open();
  ASSERT_TRUE(opened.journal->Commit({PutAttempt{SomeAttempt()}, PutFence{{"cluster", 1, "i", 1}}}).ok());
  ASSERT_TRUE(opened.journal->ForgetCluster().ok());
  const JournalContents contents = Open().contents;
  EXPECT_EQ("", contents.fence.cluster_id);
  EXPECT_TRUE(contents.attempts.empty());
  EXPECT_NE(opened.contents.incarnation, contents.incarnation);
}

}  // namespace
}  // namespace fleetmark::agent
