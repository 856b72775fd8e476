#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/status.h"
#include "tests/fakes/power_cut_vfs.h"

namespace SQLite {
class Database;
}

namespace fleetmark {

// What keeps rows in a SQLite database below `root`, by the product's own code.
class Ledger {
 public:
  virtual ~Ledger() = default;
  virtual Status Open(const std::filesystem::path& root) = 0;
  // Transaction `number`, counted from 1; OK when it is durable.
  virtual Status Commit(int number) = 0;
  // Every row of every table, and what `PRAGMA integrity_check` says.
  virtual std::string Contents() = 0;
};
using MakeLedger = std::function<std::unique_ptr<Ledger>()>;

// Both as one text, for Ledger::Contents. Rows that begin with `left_out` do not count.
std::string ContentsOf(SQLite::Database& database, const std::string& left_out = "");

// A whole life of a ledger.
struct Recording {
  std::vector<PowerCutDisk::Step> steps;
  // Contents after each mark: 1 is the open ledger, number + 1 transaction `number`.
  std::map<uint64_t, std::string> contents;
  int checkpoints = 0;  // in which the log was written back, while it was open
};
Recording Record(const MakeLedger& make, int transactions, bool ignores_syncs = false);

struct CutOptions {
  int step = 1;  // every so manieth step is cut at; each time the first
  std::vector<PowerCutDisk::Fate> fates;
  uint64_t seed = 1;
};
struct CutOutcome {
  int cuts = 0;
  std::vector<std::string> losses;  // what was wrong after which cut, a few of them
};
// Cuts the power at the steps of a recording and opens what is left: exactly the rows of the transactions that were
// acknowledged are there, and perhaps all of those of the one under way; nothing needs repair; the next commit works.
CutOutcome CutEverywhere(const Recording& recording, const MakeLedger& make, const CutOptions& options);

// As CutEverywhere's `step`: FLEETMARK_POWER_CUT_STEP, or `otherwise`. 1 is the long mode.
int StepFromEnvironment(int otherwise);

// Lets each `step`-th step of a ledger's life fail with `error` (SQLITE_FULL, SQLITE_IOERR_FSYNC...), one at a time:
// whoever commits is told, sees nothing of what failed, and commits it again once the disk is well. Power is cut at the
// end, and nothing is missing. What was wrong, a few of them; `failures` counts commits that were refused.
std::vector<std::string> FailEverywhere(const MakeLedger& make, int transactions, int error, int step, int* failures);

}  // namespace fleetmark
