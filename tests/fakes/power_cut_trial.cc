#include "tests/fakes/power_cut_trial.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <cstdlib>
#include <functional>
#include <string_view>
#include <utility>

namespace fleetmark {
namespace {

using Fate = PowerCutDisk::Fate;
using Kind = PowerCutDisk::Step::Kind;

constexpr size_t kMostLosses = 5;

const char* NameOf(Fate fate) {
  switch (fate) {
    case Fate::kLost:
      return "lost";
    case Fate::kKept:
      return "kept";
    case Fate::kInOrder:
      return "in order";
    case Fate::kAnyOrder:
      return "any order";
  }
  return "";
}

// Runs of writes to the database itself: a checkpoint writes it and then syncs it.
int CountCheckpoints(const std::vector<PowerCutDisk::Step>& steps) {
  int checkpoints = 0;
  bool is_written = false;
  for (const PowerCutDisk::Step& step : steps) {
    if (!step.name.ends_with(".db")) continue;
    if (step.kind == Kind::kWrite) is_written = true;
    if (step.kind == Kind::kSyncFile) checkpoints += std::exchange(is_written, false) ? 1 : 0;
  }
  return checkpoints;
}

// "" when all is well.
std::string LookAfterCut(const PowerCutDisk::Image& image, uint64_t mark, const Recording& recording,
                         const MakeLedger& make) {
  PowerCutMachine machine{PowerCutDisk(image)};
  const std::unique_ptr<Ledger> ledger = make();
  if (const Status status = ledger->Open(machine.root()); !status.ok()) return status.message();
  const std::string contents = ledger->Contents();
  if (!contents.starts_with("ok")) return contents.substr(0, 200);
  uint64_t found = mark;
  if (mark > 0) {  // before, nothing was promised
    if (contents != recording.contents.at(mark)) ++found;
    const auto next = recording.contents.find(found);
    if (next == recording.contents.end() || contents != next->second) return "rows are missing, or half there";
  }
  if (const Status status = ledger->Commit(static_cast<int>(found == 0 ? 1 : found)); !status.ok()) {
    return "it cannot go on: " + status.message();
  }
  return "";
}

}  // namespace

std::string ContentsOf(SQLite::Database& database, const std::string& left_out) {
  const std::string verdict = database.execAndGet("PRAGMA integrity_check").getString();
  if (verdict != "ok") return verdict;
  size_t rows = 0;  // a hash that the library has compiled well: it goes over megabytes after each cut
  const auto add = [&rows](std::string_view bytes) {
    rows = rows * 1'099'511'628'211 + std::hash<std::string_view>()(bytes);
  };
  std::vector<std::string> tables;
  for (SQLite::Statement table(database, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name");
       table.executeStep();) {
    tables.push_back(table.getColumn(0).getString());
  }
  for (const std::string& table : tables) {
    add(table);
    SQLite::Statement row(database, "SELECT * FROM \"" + table + "\" ORDER BY 1, 2");
    while (row.executeStep()) {
      if (!left_out.empty() && row.getColumn(0).getString() == left_out) continue;
      for (int i = 0; i < row.getColumnCount(); ++i) {
        const SQLite::Column column = row.getColumn(i);
        add({static_cast<const char*>(column.getBlob()), static_cast<size_t>(column.getBytes())});
      }
    }
  }
  return "ok " + std::to_string(rows);
}

Recording Record(const MakeLedger& make, int transactions, bool ignores_syncs) {
  Recording recording;
  PowerCutMachine machine;
  machine.ignores_syncs = ignores_syncs;
  {
    const std::unique_ptr<Ledger> ledger = make();
    if (!ledger->Open(machine.root()).ok()) return recording;
    machine.disk().Mark(1);
    recording.contents[1] = ledger->Contents();
    for (int number = 1; number <= transactions; ++number) {
      if (!ledger->Commit(number).ok()) return recording;
      const auto mark = static_cast<uint64_t>(number) + 1;
      machine.disk().Mark(mark);
      recording.contents[mark] = ledger->Contents();
    }
    recording.checkpoints = CountCheckpoints(machine.disk().history());
  }
  recording.steps = machine.disk().history();  // with what closing does
  return recording;
}

CutOutcome CutEverywhere(const Recording& recording, const MakeLedger& make, const CutOptions& options) {
  CutOutcome outcome;
  int number = 0;
  PowerCutDisk::Replay(recording.steps, [&](const PowerCutDisk& disk, const PowerCutDisk::Step& step) {
    if (step.kind == Kind::kMark || number++ % options.step != 0) return;
    for (const Fate fate : options.fates) {
      std::mt19937_64 random(options.seed * 1'000'003 + static_cast<uint64_t>(number) * 8 +
                             static_cast<uint64_t>(fate));
      ++outcome.cuts;
      const std::string wrong = LookAfterCut(disk.Cut(fate, random), disk.mark(), recording, make);
      if (wrong.empty() || outcome.losses.size() >= kMostLosses) continue;
      outcome.losses.push_back("cut at step " + std::to_string(number - 1) + " (" + step.name + "), unsynced " +
                               NameOf(fate) + ", seed " + std::to_string(options.seed) + ", after mark " +
                               std::to_string(disk.mark()) + ": " + wrong);
    }
  });
  return outcome;
}

int StepFromEnvironment(int otherwise) {
  const char* step = std::getenv("FLEETMARK_POWER_CUT_STEP");
  return step == nullptr ? otherwise : std::max(1, std::atoi(step));
}

namespace {

// One life in which step `at` fails. False when it is over before.
bool LiveWithFailure(const Recording& expected, const MakeLedger& make, int error, int at,
                     std::vector<std::string>* wrong, int* failures) {
  PowerCutMachine machine;
  int step = 0;
  bool is_reached = false;
  machine.fail = [&](const PowerCutDisk::Step&) {
    if (step++ != at) return SQLITE_OK;
    is_reached = true;
    return error;
  };
  const auto say = [&](const std::string& what) {
    if (wrong->size() < kMostLosses) wrong->push_back("step " + std::to_string(at) + " failed: " + what);
  };
  std::unique_ptr<Ledger> ledger = make();
  if (!ledger->Open(machine.root()).ok()) {
    ++*failures;
    ledger = make();
    if (const Status again = ledger->Open(machine.root()); !again.ok()) {
      say("it cannot be opened afterwards: " + again.message());
      return true;
    }
  }
  const int transactions = static_cast<int>(expected.contents.size()) - 1;
  for (int number = 1; number <= transactions; ++number) {
    if (ledger->Commit(number).ok()) continue;
    ++*failures;
    if (ledger->Contents() != expected.contents.at(static_cast<uint64_t>(number))) say("something of it is there");
    if (const Status again = ledger->Commit(number); !again.ok()) say("it does not work again: " + again.message());
  }
  const std::string& all = expected.contents.rbegin()->second;
  if (ledger->Contents() != all) say("rows are missing");
  std::mt19937_64 random(1);
  const PowerCutDisk::Image image = machine.disk().Cut(Fate::kLost, random);
  PowerCutMachine rebooted{PowerCutDisk(image)};
  const std::unique_ptr<Ledger> found = make();
  if (const Status status = found->Open(rebooted.root()); !status.ok()) {
    say("after a cut: " + status.message());
  } else if (found->Contents() != all) {
    say("rows are missing after a cut");
  }
  return is_reached;
}

}  // namespace

std::vector<std::string> FailEverywhere(const MakeLedger& make, int transactions, int error, int step, int* failures) {
  std::vector<std::string> wrong;
  const Recording expected = Record(make, transactions);
  for (int at = 0; LiveWithFailure(expected, make, error, at, &wrong, failures); at += step) {
  }
  return wrong;
}

}  // namespace fleetmark
