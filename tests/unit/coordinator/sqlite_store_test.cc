#include "coordinator/sqlite_store.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <set>
#include <thread>

#include "common/files.h"
#include "coordinator/board_memory.h"
#include "coordinator/board_query.h"
#include "tests/unit/coordinator/store_conformance.h"

namespace fleetmark {
namespace {

class SqlitePlace final : public StorePlace {
 public:
  SqlitePlace() {
    std::string name = testing::TempDir() + "store_XXXXXX";
    directory_ = mkdtemp(name.data());
  }
  ~SqlitePlace() override { std::filesystem::remove_all(directory_); }
  std::unique_ptr<Store> OpenStore() override { return Value(OpenSqliteStore(file())); }
  std::unique_ptr<StoreReader> OpenReader() override { return MakeSqliteReader(file()); }
  std::filesystem::path file() const { return directory_ / "store.db"; }

 private:
  template <typename T>
  static std::unique_ptr<T> Value(StatusOr<std::unique_ptr<T>> opened) {
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    return std::move(opened).value();
  }
  std::filesystem::path directory_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreConformance, testing::Values([] { return std::make_unique<SqlitePlace>(); }));

TEST(SqliteStore, RefusesANewerSchemaByName) {
  SqlitePlace place;
  place.OpenStore();
  SQLite::Database(place.file().string(), SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 99");
  const auto store = OpenSqliteStore(place.file());
  ASSERT_FALSE(store.ok());
  EXPECT_EQ(store.status().kind(), "newer_schema");
  EXPECT_THAT(store.status().message(), testing::HasSubstr("99"));
}

// A store as version 3 of its schema left it, with one result.
void MakeVersion3(const std::filesystem::path& file) {
  SQLite::Database database(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  for (const char* name : {"0001_first.sql", "0002_overrides.sql", "0003_tuned_profiles.sql"}) {
    const StatusOr<std::string> sql = ReadFile(std::filesystem::path(FLEETMARK_SCHEMA_DIR) / name);
    ASSERT_TRUE(sql.ok()) << sql.status().ToString();
    database.exec(*sql);
  }
  database.exec("PRAGMA user_version = 3");
  database.exec("INSERT INTO agents VALUES ('agent-1', 'lab-3', 'lab-3:7810', x'22056c61622d33', 0, 0, 0, 0)");
  database.exec("INSERT INTO jobs VALUES (1, 'job', 'request', x'', 1000, 0)");
  database.exec(
      "INSERT INTO runs VALUES (1, 'run', 'job', 0, 1, 'tensor_add', 1, 'n=256', 'libtorch', 'stock', 'agent-1', "
      "'agent-1', 'cpu', 'cpu', x'', 'succeeded', 1000, 1001, 1002, x'', 1, 0, 0, '', '')");
  database.exec(
      "INSERT INTO attempts VALUES ('attempt', 'run', 1, 'agent-1', 'first', 0, 'stored', 'succeeded', x'', 1000, "
      "1001, "
      "1002, 0, '', '', 'sha', 'boot', 77)");
  database.exec(
      "INSERT INTO results VALUES ('attempt', 'run', 'sha', x'', 1, 'UNCHECKED', NULL, 'Zen 5', '2.13.0', 1003)");
  database.exec("INSERT INTO metrics VALUES ('run', 'it_per_s', 'it/s', 70, NULL, NULL, NULL)");
}

TEST(SqliteStore, ResultsFromBeforeVerdictsStayOnTheBoardWithoutAReason) {
  SqlitePlace place;
  MakeVersion3(place.file());
  const auto store = place.OpenStore();
  ASSERT_NE(store, nullptr);
  BoardQuery query;
  query.workload = "tensor_add";
  query.workload_version = 1;
  query.board = "n=256";
  query.metric = "it_per_s";
  const auto values = place.OpenReader()->BoardValues(query);
  ASSERT_TRUE(values.ok()) << values.status().ToString();
  ASSERT_EQ(values->size(), 1u);
  EXPECT_EQ(values->front().value, 70);
  EXPECT_EQ(values->front().verdict, "UNCHECKED");
  EXPECT_EQ(values->front().verdict_cause + values->front().verdict_reason, "");
  ASSERT_EQ(store->Load()->agents.size(), 1u);  // whose description has moved
  EXPECT_EQ(store->Load()->agents[0].description.name(), "lab-3");
}

struct BoardCost {
  int steps = 0;  // of SQLite's machine
  int pages = 0;  // read from the file
};

// Results of two agents with two devices, each of which had the jobs from `first` to `last`.
void FillBoard(SQLite::Database& database, int first, int last, int report_bytes = 0) {
  database.exec(
      "INSERT OR IGNORE INTO agents (agent_id, name, address, draining, removed, offline_since_unix_s, "
      "last_seen_unix_s) VALUES "
      "('a', 'lab-1', '', 0, 0, 0, 0), ('b', 'lab-2', '', 0, 0, 0, 0)");
  const std::string each_job = "WITH RECURSIVE job (n) AS (SELECT " + std::to_string(first) +
                               " UNION ALL SELECT n + 1 FROM job WHERE n < " + std::to_string(last) + ") ";
  database.exec("INSERT INTO jobs SELECT n, 'job ' || n, n, x'', 1000, 0 FROM (" + each_job + "SELECT n FROM job)");
  database.exec(
      "INSERT INTO runs SELECT NULL, 'run ' || n || agent_id || device, 'job ' || n, 0, 1, 'tensor_add', 1, 'n=256', "
      "'libtorch', 'stock', agent_id, agent_id, device, 'cuda', x'', 'succeeded', 1000, 1001, 1002 + n, x'', 1, 0, 0, "
      "'', '' FROM (" +
      each_job +
      "SELECT n FROM job) CROSS JOIN agents CROSS JOIN (SELECT 'cuda:0' AS device UNION ALL SELECT 'cuda:1') "
      "ORDER BY n");
  const std::string are_new = " WHERE finished_unix_s >= 1002 + " + std::to_string(first);
  database.exec(
      "INSERT INTO attempts SELECT 'attempt of ' || run_id, run_id, 1, agent_id, '', 0, 'stored', 'succeeded', x'', 0, "
      "0, 0, 0, '', '', '', '', 0 FROM runs" +
      are_new);
  database.exec("INSERT INTO results SELECT 'attempt of ' || run_id, run_id, '', zeroblob(" +
                std::to_string(report_bytes) + "), 1, 'OK', NULL, '', '', 0, '', '' FROM runs" + are_new);
  database.exec("INSERT INTO metrics SELECT run_id, 'it_per_s', 'it/s', 70, NULL, NULL, NULL FROM runs" + are_new);
}

BoardQuery TheBoard() {
  BoardQuery query;
  query.workload = "tensor_add";
  query.workload_version = 1;
  query.board = "n=256";
  query.metric = "it_per_s";
  query.newest_job_only = true;
  return query;
}

void CountSteps(SQLite::Database& database, int* steps) {
  const auto count = [](void* counter) { return ++*static_cast<int*>(counter), 0; };
  sqlite3_progress_handler(database.getHandle(), 1, count, steps);
}

BoardCost CostOfBoard(int jobs, int report_bytes = 0, double since_unix_s = 0) {
  SqlitePlace place;
  (void)place.OpenStore();
  SQLite::Database database(place.file().string(), SQLite::OPEN_READWRITE);
  FillBoard(database, 1, jobs, report_bytes);
  BoardQuery query = TheBoard();
  query.since_unix_s = since_unix_s;
  BoardCost cost;
  CountSteps(database, &cost.steps);
  (void)sqlite3_db_release_memory(database.getHandle());
  int most = 0;
  (void)sqlite3_db_status(database.getHandle(), SQLITE_DBSTATUS_CACHE_MISS, &cost.pages, &most, 1);
  SqlStatements statements(&database);
  EXPECT_EQ(ReadBoardValues(statements, query).size(), 4u);
  EXPECT_EQ(ReadBoards(statements, "tensor_add", 1).size(), 1u);
  (void)sqlite3_db_status(database.getHandle(), SQLITE_DBSTATUS_CACHE_MISS, &cost.pages, &most, 1);
  return cost;
}

TEST(SqliteStore, WhatABoardCostsDoesNotGrowWithItsPast) {
  const int few = CostOfBoard(10).steps, many = CostOfBoard(1000).steps;
  EXPECT_LT(many, 1.2 * few) << few << " steps with 10 jobs";
  const int recent = CostOfBoard(1000, 0, 1002 + 1000).steps;  // the newest job alone was finished since then
  EXPECT_LT(recent, 1.2 * few);
}

TEST(SqliteStore, ABoardDoesNotReadTheReports) {
  const int small = CostOfBoard(10).pages, large = CostOfBoard(10, 1'000'000).pages;
  EXPECT_LE(large, small + 8) << "four of them have a thousand pages";
}

TEST(SqliteStore, OfABoardThatWasReadOnlyWhatCameSinceIsRead) {
  SqlitePlace place;
  (void)place.OpenStore();
  SQLite::Database database(place.file().string(), SQLite::OPEN_READWRITE);
  SqlStatements statements(&database);
  BoardMemory boards;
  const auto run_ids = [](const std::vector<BoardValue>& values) {
    std::set<std::string> ids;
    for (const BoardValue& value : values) ids.insert(value.run_id);
    return ids;
  };
  int steps = 0;
  CountSteps(database, &steps);
  const auto steps_of_read = [&] {
    steps = 0;
    const auto values = boards.Read(statements, TheBoard());
    const int taken = steps;
    EXPECT_EQ(run_ids(values), run_ids(ReadBoardValues(statements, TheBoard())));
    EXPECT_EQ(values.size(), 4u);
    return taken;
  };
  FillBoard(database, 1, 10);
  const int first = steps_of_read();
  EXPECT_LT(steps_of_read(), first / 4);
  FillBoard(database, 11, 11);
  EXPECT_LT(steps_of_read(), first) << "four results are new";
  FillBoard(database, 12, 2000);
  EXPECT_LT(steps_of_read(), 1.5 * first) << "so many are new that it is read as if it were not known";
  FillBoard(database, 2001, 2008);
  database.exec("UPDATE runs SET board = 'n=512' WHERE finished_unix_s > 1002 + 2001");
  EXPECT_LT(steps_of_read(), 2 * first) << "nearly all that is new is of another board";
  // Others that were asked for since then took its place.
  BoardQuery other = TheBoard();
  for (const char* metric : {"a", "b", "c", "d"}) {
    other.metric = metric;
    EXPECT_TRUE(boards.Read(statements, other).empty());
  }
  EXPECT_GT(steps_of_read(), first / 4);
}

TEST(SqliteStore, ABoardIsReadByManyWhileResultsAreStored) {
  SqlitePlace place;
  (void)place.OpenStore();
  SQLite::Database database(place.file().string(), SQLite::OPEN_READWRITE);
  database.setBusyTimeout(10'000);
  const auto reader = place.OpenReader();
  std::atomic<bool> is_over = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      int64_t newest = 0;
      while (!is_over) {
        const auto values = reader->BoardValues(TheBoard());
        ASSERT_TRUE(values.ok()) << values.status().ToString();
        int64_t now = newest;
        for (const BoardValue& value : *values) now = std::max(now, value.job_sequence);
        EXPECT_GE(now, newest) << "nobody goes back in time";
        newest = now;
      }
    });
  }
  constexpr int kJobs = 40;
  for (int job = 1; job <= kJobs; ++job) {
    SQLite::Transaction transaction(database);
    FillBoard(database, job, job);
    transaction.commit();
  }
  is_over = true;
  for (std::thread& thread : threads) thread.join();
  const auto values = reader->BoardValues(TheBoard());
  ASSERT_EQ(values->size(), 4u);
  for (const BoardValue& value : *values) EXPECT_EQ(value.job_sequence, kJobs);
}

TEST(SqliteStore, AReaderSeesCommitsOfAnOpenStoreAtOnce) {
  SqlitePlace place;
  const auto store = place.OpenStore();
  const auto reader = place.OpenReader();
  EXPECT_TRUE(reader->ListWorkloads()->empty());
  WorkloadRecord workload;
  workload.spec.set_name("tensor_add");
  ASSERT_TRUE(store->Commit({PutWorkload{workload}}).ok());
  EXPECT_EQ(reader->ListWorkloads()->size(), 1u);
}

}  // namespace
}  // namespace fleetmark
