#include <sqlite3.h>

#include <set>

#include "agent/journal.h"
#include "common/files.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/journal_check.h"
#include "tests/fuzz/samples.h"
#include "tests/fuzz/scratch_directory.h"
#include "tests/fuzz/script.h"

namespace fleetmark::fuzz {
namespace {

// A journal with an attempt in each state and what has been retired.
std::string SampleJournal(const std::filesystem::path& directory) {
  auto opened = agent::Journal::Open(directory, 1);
  Require(opened.ok(), "a journal can be made");
  std::vector<agent::JournalWrite> writes = {agent::PutFence{{"cluster", 3, "instance", 7}}, agent::PutDraining{true}};
  for (const std::string id : {"accepted", "spawned", "reported"}) {
    agent::Attempt attempt;
    attempt.request = SampleStart(id);
    if (id != "accepted") attempt.process = agent::ProcessIdentity{100, 5, kSampleBoot};
    writes.push_back(agent::PutAttempt{attempt});
  }
  writes.push_back(agent::PutReport{"reported", "hash", SampleReport("reported").SerializeAsString()});
  writes.push_back(agent::RetireAttempt{"cancelled", {true, "enough", "", {}}});
  writes.push_back(agent::RetireAttempt{"pruned", {false, "succeeded", "hash", {}}});
  Require(opened->journal->Commit(writes).ok(), "a journal can be written");
  opened->journal.reset();
  return *ReadFile(directory / "journal.db");
}

// Rows may be read and changed, and the schema's version.
int AllowRows(void*, int action, const char* name, const char*, const char*, const char*) {
  static const std::set<int> allowed = {SQLITE_READ, SQLITE_SELECT, SQLITE_INSERT, SQLITE_UPDATE, SQLITE_DELETE};
  const bool is_version = action == SQLITE_PRAGMA && std::string_view(name) == "user_version";
  return allowed.contains(action) || is_version ? SQLITE_OK : SQLITE_DENY;
}

void Execute(const std::filesystem::path& path, std::string_view statements) {
  sqlite3* database = nullptr;
  Require(sqlite3_open(path.c_str(), &database) == SQLITE_OK, "the journal can be changed");
  sqlite3_set_authorizer(database, AllowRows, nullptr);
  sqlite3_limit(database, SQLITE_LIMIT_LENGTH, 1 << 16);
  sqlite3_progress_handler(
      database, 20'000, [](void*) { return 1; }, nullptr);  // enough of this statement
  while (!statements.empty()) {
    const std::string statement(TakeLine(&statements));
    sqlite3_exec(database, statement.c_str(), nullptr, nullptr, nullptr);
  }
  sqlite3_close(database);
}

}  // namespace

// A journal that is sound as SQLite sees it, with rows changed by a line of SQL each.
void Fuzz_journal_rows(std::string_view input) {
  static const ScratchDirectory directory;
  static const std::string sample = SampleJournal(directory.path());
  directory.RemoveContents();
  Execute(directory.Write("journal.db", sample), input);
  CheckJournal(directory.path());
}

}  // namespace fleetmark::fuzz
