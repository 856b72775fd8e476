#include <CLI/CLI.hpp>

#include "coordinator/cli/client.h"
#include "coordinator/cli/console.h"
#include "coordinator/cli/render/leaderboard_text.h"
#include "coordinator/cli/run_filter.h"
#include "coordinator/cli/verb.h"

namespace fleetmark {
namespace {

class LeaderboardVerb : public Verb {
 public:
  VerbHelp Help() const override {
    return {
        "Rank the machines on one workload, published numbers beside ours",
        "A row is one machine, device, runtime and profile, with what the run set over it; rows whose interval "
        "overlaps that of the best of their rank share it. A row whose verdict speaks against it says why and has no "
        "rank.",
        "fleetmark leaderboard tensor_add --set n=12288 --since 30d",
        {}};
  }

  void Declare(CLI::App* app) override {
    app->add_option("workload", workload_, "The workload")->required()->type_name("WORKLOAD");
    app->add_option("--metric", metric_, "What to rank by [the workload's first metric]")->type_name("NAME");
    DeclareSet(app, &set_, "A parameter that defines the board (repeatable) [its default]");
    app->add_option("--since", since_, "Only results since then: 7d, 2026-11-21")->type_name("TIME");
    app->add_flag("--measured-only", measured_only_, "Leave published numbers out");
    app->add_flag("--include-flagged", include_flagged_, "Rank rows whose verdict speaks against them like the others");
  }

  StatusOr<ExitCode> Run(Session& session) override {
    Console& console = session.console;
    v1::LeaderboardRequest request;
    FLEETMARK_RETURN_IF_ERROR(FillParameters(set_, &request));
    FLEETMARK_ASSIGN_OR_RETURN(const double since, ParseMoment(since_, "--since", console.NowUnixS()));
    request.set_workload(workload_);
    request.set_metric(metric_);
    request.set_measured_only(measured_only_);
    request.set_include_flagged(include_flagged_);
    request.set_since_unix_s(since);
    FLEETMARK_ASSIGN_OR_RETURN(const v1::Leaderboard board,
                               session.client.Call(&Client::Stub::GetLeaderboard, request));
    if (console.json()) {
      console.PrintDocument(board);
    } else {
      console.out() << RenderLeaderboard(board, console.terminal());
    }
    return ExitCode::kDone;
  }

 private:
  std::string workload_, metric_, since_;
  std::vector<std::string> set_;
  bool measured_only_ = false, include_flagged_ = false;
};

}  // namespace

std::unique_ptr<Verb> MakeLeaderboard() { return std::make_unique<LeaderboardVerb>(); }

}  // namespace fleetmark
