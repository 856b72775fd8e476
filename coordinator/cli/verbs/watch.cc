#include <CLI/CLI.hpp>

#include "coordinator/cli/console.h"
#include "coordinator/cli/render/run_table.h"
#include "coordinator/cli/run_watcher.h"
#include "coordinator/cli/verb.h"
#include "coordinator/cli/wait_flags.h"

namespace fleetmark {
namespace {

class WatchVerb : public Verb {
 public:
  VerbHelp Help() const override {
    return {"Follow jobs or runs until they have ended",
            "Ctrl-C ends the watching, not the runs. With --json: one document {\"runs\": [...]} at the end.",
            "fleetmark watch k3v8q2m0",
            {ExitCode::kRunFailed, ExitCode::kTimeout, ExitCode::kInterrupted}};
  }

  void Declare(CLI::App* app) override {
    app->add_option("ids", ids_, "Jobs or runs; ids may be shortened")->required()->type_name("ID...");
    app->add_option("--wait-timeout", wait_timeout_, "Stop watching after this time")->type_name("DURATION");
  }

  StatusOr<ExitCode> Run(Session& session) override {
    FLEETMARK_ASSIGN_OR_RETURN(const double wait_timeout_s, ParseLimit(wait_timeout_, "--wait-timeout"));
    Console& console = session.console;
    FLEETMARK_ASSIGN_OR_RETURN(const std::vector<v1::RunInfo> runs,
                               WatchRuns(session, {ids_, wait_timeout_s, false}, ChooseProgressMode(console, true)));
    v1::ListRunsResponse list;
    *list.mutable_runs() = {runs.begin(), runs.end()};
    if (console.json()) {
      console.PrintDocument(list);
    } else {
      console.out() << "\n" << RenderOutcome(list.runs(), console.terminal(), console.NowUnixS());
    }
    return ExitCodeOf(runs);
  }

 private:
  std::vector<std::string> ids_;
  std::string wait_timeout_;
};

}  // namespace

std::unique_ptr<Verb> MakeWatch() { return std::make_unique<WatchVerb>(); }

}  // namespace fleetmark
