#include "common/sqlite_database.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace fleetmark {
namespace {

const std::vector<Migration> kFirst = {{1, "CREATE TABLE a(x INTEGER) STRICT;"}};
const std::vector<Migration> kBoth = {{1, "CREATE TABLE a(x INTEGER) STRICT;"},
                                      {2, "ALTER TABLE a ADD COLUMN y TEXT;"}};

class SqliteDatabase : public testing::Test {
 protected:
  SqliteDatabase() {
    std::string name = testing::TempDir() + "database_XXXXXX";
    directory_ = mkdtemp(name.data());
    path_ = directory_ / "test.db";
  }
  ~SqliteDatabase() override { std::filesystem::remove_all(directory_); }
  std::filesystem::path directory_;
  std::filesystem::path path_;
};

TEST_F(SqliteDatabase, MigratesOnceAfterABackup) {
  (*OpenDatabase(path_, DatabaseAccess::kReadWrite, kFirst))->exec("INSERT INTO a VALUES (7)");
  auto database = OpenDatabase(path_, DatabaseAccess::kReadWrite, kBoth);
  ASSERT_TRUE(database.ok()) << database.status().ToString();
  EXPECT_EQ((*database)->execAndGet("SELECT x FROM a WHERE y IS NULL").getInt(), 7);
  EXPECT_EQ((*database)->execAndGet("PRAGMA synchronous").getInt(), 2);
  EXPECT_EQ((*database)->execAndGet("PRAGMA journal_mode").getString(), "wal");
  EXPECT_TRUE(std::filesystem::exists(path_.string() + ".before-schema-2"));
  EXPECT_TRUE(OpenDatabase(path_, DatabaseAccess::kReadOnly, kBoth).ok());
}

TEST_F(SqliteDatabase, RefusesANewerSchemaByName) {
  ASSERT_TRUE(OpenDatabase(path_, DatabaseAccess::kReadWrite, kBoth).ok());
  const auto database = OpenDatabase(path_, DatabaseAccess::kReadWrite, kFirst);
  ASSERT_FALSE(database.ok());
  EXPECT_EQ(database.status().kind(), "newer_schema");
  EXPECT_NE(database.status().message().find("schema version 2"), std::string::npos);
}

TEST_F(SqliteDatabase, AFailedMigrationChangesNothing) {
  ASSERT_TRUE(OpenDatabase(path_, DatabaseAccess::kReadWrite, kFirst).ok());
  const std::vector<Migration> broken = {kFirst[0],
                                         {2, "ALTER TABLE a ADD COLUMN y TEXT; SELECT no_such_column FROM a;"}};
  EXPECT_FALSE(OpenDatabase(path_, DatabaseAccess::kReadWrite, broken).ok());
  auto database = OpenDatabase(path_, DatabaseAccess::kReadWrite, kFirst);
  ASSERT_TRUE(database.ok()) << database.status().ToString();
  EXPECT_EQ((*database)->execAndGet("SELECT count(*) FROM pragma_table_info('a')").getInt(), 1);
}

TEST_F(SqliteDatabase, SaysDataLossForWhatIsNoDatabase) {
  std::ofstream(path_) << std::string(8192, 'x');
  EXPECT_EQ(OpenDatabase(path_, DatabaseAccess::kReadWrite, kFirst).status().code(), StatusCode::kDataLoss);
  EXPECT_FALSE(OpenDatabase(directory_ / "no" / "such.db", DatabaseAccess::kReadWrite, kFirst).ok());
}

TEST_F(SqliteDatabase, SaysDataLossForTheTablesOfSomebodyElse) {
  SQLite::Database(path_.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE).exec("CREATE TABLE b(x)");
  EXPECT_EQ(OpenDatabase(path_, DatabaseAccess::kReadWrite, kFirst).status().code(), StatusCode::kDataLoss);
  SQLite::Database(path_.string(), SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 1");
  const Status status = OpenDatabase(path_, DatabaseAccess::kReadWrite, kFirst).status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_NE(status.message().find("a.x INTEGER"), std::string::npos) << status.message();
}

TEST_F(SqliteDatabase, LeavesWhatItsOwnerHasAddedAlone) {
  (*OpenDatabase(path_, DatabaseAccess::kReadWrite, kFirst))->exec("CREATE TABLE notes(x); CREATE VIEW v AS SELECT 1");
  EXPECT_TRUE(OpenDatabase(path_, DatabaseAccess::kReadWrite, kFirst).ok());
}

TEST_F(SqliteDatabase, AFullDiskIsSaidAsSuch) {
  auto database = *OpenDatabase(path_, DatabaseAccess::kReadWrite, kFirst);
  database->exec("PRAGMA max_page_count = 4");
  const Status status = CatchSqlite("the journal", [&] {
    for (int i = 0; i < 10'000; ++i) database->exec("INSERT INTO a VALUES (1)");
    return OkStatus();
  });
  EXPECT_EQ(status.kind(), "disk_full") << status.ToString();
}

}  // namespace
}  // namespace fleetmark
