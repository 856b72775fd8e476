#include "coordinator/restore_verb.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "common/clock.h"
#include "coordinator/backup.h"

namespace fleetmark {

void RestoreVerb::AddTo(CLI::App* app) {
  CLI::App* verb = app->add_subcommand("restore", "Make a backup the store of --state-dir, which must have none");
  verb->fallthrough();  // --state-dir, --config
  verb->footer(
      "The backup is checked first, and stays as it is. The coordinator that is started on it takes over the agents "
      "of\n"
      "the cluster and asks them for what came after the backup. Only for when the original is lost: agents refuse an\n"
      "original that still runs from then on.");
  verb->add_option("file", file, "What fleetmark backup wrote")->required()->type_name("FILE");
  verb->add_option("--at-least-epoch", at_least_epoch,
                   "Where agents refuse the restored coordinator as too old, because a clock was wrong: the epoch that "
                   "they name")
      ->check(CLI::Range(0, 2'000'000'000));
}

Status RestoreVerb::Run(const std::string& state_dir) const {
  FLEETMARK_ASSIGN_OR_RETURN(const Restored restored,
                             RestoreStore(file, state_dir, RealClock().Now().unix_s(), at_least_epoch));
  std::printf("restored %d runs into %s; start fleetmark-coordinator on it\n", restored.runs, state_dir.c_str());
  return OkStatus();
}

}  // namespace fleetmark
