#include "tests/fuzz/journal_check.h"

#include "agent/agent_core.h"
#include "agent/journal.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/samples.h"

namespace fleetmark::fuzz {

void CheckJournal(const std::filesystem::path& directory) {
  auto opened = agent::Journal::Open(directory, 1);
  if (!opened.ok()) {
    Require(opened.status().kind() == "newer_schema",
            "an agent starts with any journal: " + opened.status().ToString());
    return;
  }
  Require(!opened->contents.incarnation.empty(), "a journal has an incarnation");
  const bool is_aside = std::filesystem::exists(directory / "journal.db.corrupt-1");
  Require(opened->warning.empty() != is_aside, "what is not sound is kept, and that is told");
  const std::string incarnation = opened->contents.incarnation;
  const size_t attempts = opened->contents.attempts.size();
  agent::AgentCore core({kSampleBoot, "process"}, SampleOffer(), std::move(opened->contents));
  agent::Outcome outcome;
  core.Step(agent::AgentStarted{}, {1, kSampleBoottimeNs}, &outcome);
  for (const agent::Effect& effect : outcome.effects) {
    Require(!std::holds_alternative<agent::SpawnWorker>(effect), "what the journal holds is never spawned again");
  }
  const Status status = opened->journal->Commit(outcome.writes);
  Require(status.ok(), "the journal can be written: " + status.ToString());
  for (const agent::JournalWrite& write : outcome.writes) {
    const auto* put = std::get_if<agent::PutReport>(&write);
    if (put == nullptr) continue;
    const auto report = opened->journal->ReadReport(put->attempt_id);
    Require(report.ok() && report->bytes == put->bytes, "a report is kept as it was written");
  }
  opened->journal.reset();
  const auto again = agent::Journal::Open(directory, 2);
  Require(again.ok() && again->warning.empty(), "a journal opens again");
  Require(again->contents.incarnation == incarnation && again->contents.attempts.size() == attempts,
          "and holds the same");
}

}  // namespace fleetmark::fuzz
