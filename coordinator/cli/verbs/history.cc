#include <CLI/CLI.hpp>

#include "coordinator/cli/client.h"
#include "coordinator/cli/console.h"
#include "coordinator/cli/render/leaderboard_text.h"
#include "coordinator/cli/run_filter.h"
#include "coordinator/cli/verb.h"

namespace fleetmark {
namespace {

class HistoryVerb : public Verb {
 public:
  VerbHelp Help() const override {
    return {
        "Show how a machine's number moved over time",
        "Oldest first; each with its change against the one before on the same machine, device, runtime and profile.",
        "fleetmark history mnist_cnn --on lab-3 --since 30d",
        {}};
  }

  void Declare(CLI::App* app) override {
    app->add_option("workload", workload_, "The workload")->required()->type_name("WORKLOAD");
    app->add_option("--metric", metric_, "The number [the workload's first metric]")->type_name("NAME");
    DeclareSet(app, &set_, "A parameter that defines the board (repeatable) [its default]");
    app->add_option("--on", agent_, "Only this agent")->type_name("AGENT");
    app->add_option("--device", device_, "Only this device or kind")->type_name("DEVICE");
    app->add_option("--runtime", runtime_, "Only this runtime")->type_name("NAME");
    app->add_option("--profile", profile_, "Only this profile: stock or tuned")->type_name("PROFILE");
    app->add_option("--verdict", verdict_, "Only results with this verdict")->type_name("VERDICT");
    app->add_option("--since", since_, "Only results since then: 7d, 2026-11-21")->type_name("TIME");
    app->add_option("--until", until_, "Only results until then")->type_name("TIME");
  }

  StatusOr<ExitCode> Run(Session& session) override {
    Console& console = session.console;
    FLEETMARK_ASSIGN_OR_RETURN(const v1::HistoryRequest request, ToRequest(console.NowUnixS()));
    FLEETMARK_ASSIGN_OR_RETURN(const v1::History history, session.client.Call(&Client::Stub::GetHistory, request));
    if (console.json()) {
      console.PrintDocument(history);
    } else {
      console.out() << RenderHistory(history, console.terminal(), console.NowUnixS());
    }
    return ExitCode::kDone;
  }

 private:
  StatusOr<v1::HistoryRequest> ToRequest(double now_unix_s) const {
    v1::HistoryRequest request;
    FLEETMARK_RETURN_IF_ERROR(FillParameters(set_, &request));
    FLEETMARK_ASSIGN_OR_RETURN(const double since, ParseMoment(since_, "--since", now_unix_s));
    FLEETMARK_ASSIGN_OR_RETURN(const double until, ParseMoment(until_, "--until", now_unix_s));
    request.set_since_unix_s(since);
    request.set_until_unix_s(until);
    request.set_workload(workload_);
    request.set_metric(metric_);
    request.set_agent(agent_);
    request.set_device(device_);
    request.set_runtime(runtime_);
    request.set_profile(profile_);
    request.set_verdict(verdict_);
    return request;
  }

  std::string workload_, metric_, agent_, device_, runtime_, profile_, verdict_, since_, until_;
  std::vector<std::string> set_;
};

}  // namespace

std::unique_ptr<Verb> MakeHistory() { return std::make_unique<HistoryVerb>(); }

}  // namespace fleetmark
