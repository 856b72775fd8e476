#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "agent/agent_settings.h"
#include "agent/journal.h"
#include "agent/verbs.h"
#include "common/clock.h"
#include "common/files.h"

namespace fleetmark::agent {
namespace {

Status Leave(const std::string& state_dir) {
  if (!std::filesystem::exists(std::filesystem::path(state_dir) / "journal.db")) {
    return NotFound("there is no agent's journal in " + state_dir, "name its --state-dir");
  }
  FLEETMARK_ASSIGN_OR_RETURN(const FileLock lock, FileLock::Acquire(std::filesystem::path(state_dir) / "lock"));
  FLEETMARK_ASSIGN_OR_RETURN(const Journal::Opened opened, Journal::Open(state_dir, RealClock().Now().unix_s()));
  if (!opened.warning.empty()) std::fprintf(stderr, "fleetmark-agent: %s\n", opened.warning.c_str());
  FLEETMARK_RETURN_IF_ERROR(opened.journal->ForgetCluster());
  const std::string& cluster = opened.contents.fence.cluster_id;
  std::printf("%s\n", cluster.empty()
                          ? "this agent belonged to no cluster"
                          : ("left cluster " + cluster + "; the next coordinator that calls may have it").c_str());
  return OkStatus();
}

}  // namespace

void AddLeaveVerb(CLI::App* app, int* exit_code) {
  CLI::App* verb =
      app->add_subcommand("leave", "Forget the cluster of this (stopped) agent, and all results not delivered");
  const auto values = std::make_shared<AgentSettings>();
  const auto settings = std::make_shared<Settings>();
  values->AddStateDir(settings.get());
  settings->AddTo(verb);
  verb->callback([values, settings, exit_code] {
    Status status = settings->Resolve();
    if (status.ok()) status = Leave(values->state_dir);
    *exit_code = ReportStatus(status);
  });
}

}  // namespace fleetmark::agent
