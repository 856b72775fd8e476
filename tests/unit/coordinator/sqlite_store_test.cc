#include "coordinator/sqlite_store.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>

#include <filesystem>

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
