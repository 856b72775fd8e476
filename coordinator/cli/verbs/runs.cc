#include <CLI/CLI.hpp>

#include "coordinator/cli/client.h"
#include "coordinator/cli/console.h"
#include "coordinator/cli/render/run_table.h"
#include "coordinator/cli/run_filter.h"
#include "coordinator/cli/verb.h"

namespace fleetmark {
namespace {

class RunsVerb : public Verb {
 public:
  VerbHelp Help() const override {
    return {"List runs, the newest first, filtered as asked",
            "",
            "fleetmark runs --workload mnist_cnn --state failed --since 7d",
            {}};
  }

  void Declare(CLI::App* app) override { flags_.Declare(app, "At most so many [50]"); }

  StatusOr<ExitCode> Run(Session& session) override {
    Console& console = session.console;
    FLEETMARK_ASSIGN_OR_RETURN(const v1::RunFilter filter, flags_.ToFilter(console.NowUnixS()));
    FLEETMARK_ASSIGN_OR_RETURN(const v1::ListRunsResponse list, session.client.Call(&Client::Stub::ListRuns, filter));
    if (console.json()) {
      console.PrintDocument(list);
    } else if (list.runs().empty()) {
      console.out() << "no runs match\n";
    } else {
      console.out() << RenderRuns(list.runs(), console.terminal(), console.NowUnixS());
    }
    return ExitCode::kDone;
  }

 private:
  RunFilterFlags flags_;
};

}  // namespace

std::unique_ptr<Verb> MakeRuns() { return std::make_unique<RunsVerb>(); }

}  // namespace fleetmark
