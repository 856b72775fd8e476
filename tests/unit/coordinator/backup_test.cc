#include "coordinator/backup.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "common/files.h"
#include "coordinator/sqlite_store.h"
#include "tests/fakes/temporary_directory.h"

namespace fleetmark {
namespace {

using testing::HasSubstr;

constexpr double kNow = 1'800'000'000;

class BackupTest : public testing::Test {
 protected:
  std::filesystem::path At(const std::string& name) { return directory_.path() / name; }
  std::unique_ptr<Store> MakeStore(const std::filesystem::path& path) {
    auto store = OpenSqliteStore(path);
    EXPECT_TRUE(store.ok()) << store.status().ToString();
    return std::move(store).value();
  }
  Status BackUp(const std::filesystem::path& copy) {
    return BackUpStore(At("coordinator.db"), copy, [] { return false; });
  }
  static Status Put(Store& store, const std::string& workload) {
    WorkloadRecord record;
    record.spec.set_name(workload);
    return store.Commit({PutWorkload{record}});
  }
  TemporaryDirectory directory_;
};

TEST_F(BackupTest, IsTheStoreOfOneMomentWhileItIsWritten) {
  auto store = MakeStore(At("coordinator.db"));
  ASSERT_TRUE(store->BeginEpoch(60).ok());
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(store->Commit({KeepReport{std::to_string(i), "sha", std::string(20'000, 'x'), "conflict", 1}}).ok());
  }
  int written = 200;
  std::thread writer;
  const Status status = BackUpStore(At("coordinator.db"), At("copy"), [&] {
    // Between two lots of pages somebody commits.
    const Status put = store->Commit({KeepReport{std::to_string(written++), "sha", "late", "conflict", 1}});
    EXPECT_TRUE(put.ok()) << put.ToString();
    return false;
  });
  ASSERT_TRUE(status.ok()) << status.ToString();
  EXPECT_GT(written, 202);
  SQLite::Database copy(At("copy").string(), SQLite::OPEN_READONLY);
  EXPECT_EQ(copy.execAndGet("SELECT COUNT(*) FROM kept_reports").getInt(), 200);
  EXPECT_EQ(copy.execAndGet("PRAGMA integrity_check").getString(), "ok");
  EXPECT_FALSE(std::filesystem::exists(At("copy-wal")) || std::filesystem::exists(At("copy-journal")));
}

TEST_F(BackupTest, LeavesNothingWhenItIsCancelledOrHasNoPlace) {
  ASSERT_TRUE(MakeStore(At("coordinator.db"))->BeginEpoch(60).ok());
  EXPECT_EQ(BackUpStore(At("coordinator.db"), At("copy"), [] { return true; }).code(), StatusCode::kCancelled);
  EXPECT_FALSE(std::filesystem::exists(At("copy")));
  EXPECT_FALSE(BackUp(At("no such directory") / "copy").ok());
  EXPECT_FALSE(BackUpStore(At("none.db"), At("copy"), [] { return false; }).ok());
}

TEST_F(BackupTest, NoCoordinatorStartsOnItBeforeItIsRestored) {
  ASSERT_TRUE(MakeStore(At("coordinator.db"))->BeginEpoch(60).ok());
  ASSERT_TRUE(BackUp(At("copy")).ok());
  const StatusOr<Epoch> epoch = MakeStore(At("copy"))->BeginEpoch(60);
  EXPECT_EQ(epoch.status().kind(), "is_backup");
  EXPECT_THAT(epoch.status().hint(), HasSubstr("fleetmark-coordinator restore"));
}

TEST_F(BackupTest, RestoresWhatWasStoredWithAnEpochAboveAllThatCameAfterIt) {
  {
    auto store = MakeStore(At("coordinator.db"));
    ASSERT_TRUE(store->BeginEpoch(90).ok());
    ASSERT_TRUE(Put(*store, "before").ok());
    ASSERT_TRUE(BackUp(At("copy")).ok());
    ASSERT_TRUE(Put(*store, "after").ok());
  }
  const std::string bytes = *ReadFile(At("copy"));
  const StatusOr<Restored> restored = RestoreStore(At("copy"), At("new"), kNow);
  ASSERT_TRUE(restored.ok()) << restored.status().ToString();
  EXPECT_EQ(*ReadFile(At("copy")), bytes) << "the backup stays as it is";
  auto store = MakeStore(At("new") / "coordinator.db");
  const StatusOr<Epoch> epoch = store->BeginEpoch(60);
  ASSERT_TRUE(epoch.ok()) << epoch.status().ToString();
  EXPECT_EQ(epoch->coordinator_epoch, restored->coordinator_epoch + 1);
  EXPECT_GT(epoch->coordinator_epoch, 1'000'000);
  EXPECT_EQ(epoch->restored_unix_s, kNow);
  EXPECT_EQ(epoch->previous_lease_s, 90);
  ASSERT_EQ(epoch->past.size(), 3u);
  EXPECT_EQ(epoch->past[1].restored_from, 1);
  EXPECT_EQ(MakeSqliteReader(At("new") / "coordinator.db")->ListWorkloads()->size(), 1u);
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(At("new"))) {
    files += entry.path().filename().string().find("restoring") != std::string::npos;
  }
  EXPECT_EQ(files, 0);
}

TEST_F(BackupTest, RefusesByNameAndTouchesNothing) {
  ASSERT_TRUE(MakeStore(At("coordinator.db"))->BeginEpoch(60).ok());
  ASSERT_TRUE(BackUp(At("copy")).ok());
  EXPECT_EQ(RestoreStore(At("copy"), directory_.path(), kNow).status().kind(), "store_exists");
  EXPECT_EQ(RestoreStore(At("nothing"), At("new"), kNow).status().code(), StatusCode::kNotFound);

  std::ofstream(At("rubbish")) << std::string(8'192, 'x');
  EXPECT_EQ(RestoreStore(At("rubbish"), At("new"), kNow).status().code(), StatusCode::kDataLoss);

  std::string torn = *ReadFile(At("copy"));
  ASSERT_GT(torn.size(), 20'000u);
  for (size_t i = torn.size() / 2; i < torn.size() / 2 + 4'096; ++i) torn[i] = static_cast<char>(i * 7);
  std::ofstream(At("torn")) << torn;
  EXPECT_EQ(RestoreStore(At("torn"), At("new"), kNow).status().code(), StatusCode::kDataLoss);

  SQLite::Database(At("other.db").string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE).exec("CREATE TABLE a (x)");
  EXPECT_EQ(RestoreStore(At("other.db"), At("new"), kNow).status().code(), StatusCode::kInvalidArgument);

  SQLite::Database(At("copy").string(), SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 99");
  EXPECT_EQ(RestoreStore(At("copy"), At("new"), kNow).status().kind(), "newer_schema");
  EXPECT_FALSE(std::filesystem::exists(At("new") / "coordinator.db"));
  EXPECT_FALSE(std::filesystem::exists(At("new") / "coordinator.db.restoring"));
}

// Of a machine that died: what was committed last stands in the log beside it.
TEST_F(BackupTest, RestoresACopyOfAStateDirectoryToo) {
  auto store = MakeStore(At("coordinator.db"));
  ASSERT_TRUE(store->BeginEpoch(60).ok());
  ASSERT_TRUE(Put(*store, "last").ok());
  std::filesystem::create_directory(At("old"));
  for (const char* name : {"coordinator.db", "coordinator.db-wal"}) {
    std::filesystem::copy_file(At(name), At("old") / name);
  }
  ASSERT_TRUE(RestoreStore(At("old") / "coordinator.db", At("new"), kNow).ok());
  ASSERT_TRUE(MakeStore(At("new") / "coordinator.db")->BeginEpoch(60).ok());
  EXPECT_EQ(MakeSqliteReader(At("new") / "coordinator.db")->ListWorkloads()->size(), 1u);
}

// A backup that an older Fleetmark made.
TEST_F(BackupTest, MigratesAnOlderSchema) {
  {
    auto store = MakeStore(At("coordinator.db"));
    ASSERT_TRUE(store->BeginEpoch(60).ok());
    ASSERT_TRUE(Put(*store, "old").ok());
  }
  {
    SQLite::Database older(At("coordinator.db").string(), SQLite::OPEN_READWRITE);
    older.exec("DROP INDEX results_of_boards");
    older.exec("DROP INDEX runs_by_series");
    older.exec("DROP TABLE agent_descriptions");
    older.exec("ALTER TABLE agents ADD COLUMN description BLOB NOT NULL DEFAULT x''");
    older.exec("DROP TABLE epochs");
    older.exec("PRAGMA user_version = 4");
  }
  ASSERT_TRUE(BackUp(At("copy")).ok());
  ASSERT_TRUE(RestoreStore(At("copy"), At("new"), kNow).ok());
  auto store = MakeStore(At("new") / "coordinator.db");
  EXPECT_TRUE(store->BeginEpoch(60).ok());
  EXPECT_EQ(MakeSqliteReader(At("new") / "coordinator.db")->ListWorkloads()->size(), 1u);
  for (const auto& entry : std::filesystem::directory_iterator(At("new"))) {
    EXPECT_THAT(entry.path().string(), testing::Not(HasSubstr("before-schema")));
  }
}

}  // namespace
}  // namespace fleetmark
