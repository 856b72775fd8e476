#include <CLI/CLI.hpp>

#include "coordinator/cli/client.h"
#include "coordinator/cli/console.h"
#include "coordinator/cli/render/run_report.h"
#include "coordinator/cli/verb.h"

namespace fleetmark {
namespace {

class ShowVerb : public Verb {
 public:
  VerbHelp Help() const override {
    return {"Show everything about one run",
            "State, metrics with their intervals, epochs, environment, process, verdict, attempts; why it failed.",
            "fleetmark show k3v8q2m0",
            {}};
  }

  void Declare(CLI::App* app) override {
    app->add_option("run", id_, "The run; its id may be shortened")->required()->type_name("RUN");
  }

  StatusOr<ExitCode> Run(Session& session) override {
    v1::GetRunRequest request;
    request.set_run_id(id_);
    FLEETMARK_ASSIGN_OR_RETURN(const v1::RunInfo run, session.client.Call(&Client::Stub::GetRun, request));
    Console& console = session.console;
    if (console.json()) {
      console.PrintDocument(run);
    } else {
      console.out() << RenderRunReport(run, console.terminal());
    }
    return ExitCode::kDone;
  }

 private:
  std::string id_;
};

}  // namespace

std::unique_ptr<Verb> MakeShow() { return std::make_unique<ShowVerb>(); }

}  // namespace fleetmark
