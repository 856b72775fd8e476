#include <CLI/CLI.hpp>

#include "coordinator/cli/client.h"
#include "coordinator/cli/console.h"
#include "coordinator/cli/render/run_table.h"
#include "coordinator/cli/verb.h"

namespace fleetmark {
namespace {

class CancelVerb : public Verb {
 public:
  VerbHelp Help() const override {
    return {"Cancel jobs or runs",
            "A queued run ends at once, a running one within 5 seconds. One that has ended stays as it is.",
            "fleetmark cancel k3v8q2m0 --reason \"wrong batch size\"",
            {}};
  }

  void Declare(CLI::App* app) override {
    app->add_option("ids", ids_, "Jobs or runs; ids may be shortened")->required()->type_name("ID...");
    app->add_option("--reason", reason_, "Why; kept with the runs")->type_name("TEXT");
  }

  StatusOr<ExitCode> Run(Session& session) override {
    v1::CancelRequest request;
    for (const std::string& id : ids_) request.add_ids(id);
    request.set_reason(reason_);
    FLEETMARK_ASSIGN_OR_RETURN(const v1::CancelResponse response, session.client.Call(&Client::Stub::Cancel, request));
    Console& console = session.console;
    if (console.json()) {
      console.PrintDocument(response);
    } else {
      console.out() << RenderRuns(response.runs(), console.terminal(), console.NowUnixS());
    }
    return ExitCode::kDone;
  }

 private:
  std::vector<std::string> ids_;
  std::string reason_;
};

}  // namespace

std::unique_ptr<Verb> MakeCancel() { return std::make_unique<CancelVerb>(); }

}  // namespace fleetmark
