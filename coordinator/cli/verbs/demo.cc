#include <CLI/CLI.hpp>
#include <chrono>
#include <thread>

#include "common/vocabulary.h"
#include "coordinator/cli/client.h"
#include "coordinator/cli/console.h"
#include "coordinator/cli/render/leaderboard_text.h"
#include "coordinator/cli/render/run_table.h"
#include "coordinator/cli/render/text.h"
#include "coordinator/cli/run_watcher.h"
#include "coordinator/cli/submission.h"
#include "coordinator/cli/verb.h"
#include "coordinator/cli/wait_flags.h"
#include "fleetmark/v1/cli.pb.h"

namespace fleetmark {
namespace {

constexpr auto kPollInterval = std::chrono::milliseconds(300);
constexpr char kQuickDurationS[] = "5";

bool CanRun(const v1::AgentInfo& agent) {
  if (agent.state() != "idle" && agent.state() != "busy") return false;
  for (const v1::Runtime& runtime : agent.runtimes()) {
    if (runtime.unavailable().empty()) return true;
  }
  return false;
}

// Why there is nothing to run on, from the agents as they are.
Status NoAgent(const v1::ListAgentsResponse& list, const std::string& coordinator, const std::string& waited) {
  for (const v1::AgentInfo& agent : list.agents()) {
    if (agent.state() == "offline" || agent.state() == "draining") continue;
    for (const v1::Runtime& runtime : agent.runtimes()) {
      return FailedPrecondition("agent " + agent.name() + " cannot run anything: " + runtime.unavailable());
    }
  }
  return FailedPrecondition("no agent is ready at " + coordinator + " after " + waited,
                            "start one: fleetmark-agent serve --coordinator " + coordinator);
}

class DemoVerb : public Verb {
 public:
  VerbHelp Help() const override {
    return {
        "Measure every machine on two workloads and print their leaderboards",
        "Waits for an agent, then runs tensor_add and one epoch of mnist_cnn on all agents. mnist_cnn needs the real\n"
        "MNIST data: fleetmark-agent data add mnist.",
        "fleetmark demo --quick",
        {ExitCode::kRunFailed, ExitCode::kTimeout, ExitCode::kInterrupted}};
  }

  void Declare(CLI::App* app) override {
    app->add_flag("--quick", quick_, "At most 5 seconds of measuring for each run: a try-out, not a whole epoch");
    app->add_option("--profile", profile_, "stock or tuned [stock]")
        ->check(CLI::IsMember(kProfiles).description(""))
        ->type_name("PROFILE");
    app->add_option("--agent-timeout", agent_timeout_, "How long to wait for the first agent [60s]")
        ->type_name("DURATION");
  }

  StatusOr<ExitCode> Run(Session& session) override {
    FLEETMARK_RETURN_IF_ERROR(WaitForAgent(session));
    WatchRequest watch;
    watch.is_connected = true;
    for (const std::string workload : {"tensor_add", "mnist_cnn"}) {
      FLEETMARK_ASSIGN_OR_RETURN(const v1::SubmitResponse response, SubmitJob(session, RequestFor(workload)));
      watch.ids.push_back(response.job_id());
      Say(session, workload + ": job " + response.job_id() + " on " + std::to_string(response.run_ids_size()) +
                       (response.run_ids_size() == 1 ? " device" : " devices"));
    }
    FLEETMARK_ASSIGN_OR_RETURN(const std::vector<v1::RunInfo> runs,
                               WatchRuns(session, watch, ChooseProgressMode(session.console, true)));
    v1::DemoDocument document;
    *document.mutable_runs() = {runs.begin(), runs.end()};
    for (const char* workload : {"tensor_add", "mnist_cnn"}) {
      v1::LeaderboardRequest request;
      request.set_workload(workload);
      FLEETMARK_ASSIGN_OR_RETURN(*document.add_leaderboards(),
                                 session.client.Call(&Client::Stub::GetLeaderboard, request));
    }
    Print(session.console, document);
    return ExitCodeOf(runs);
  }

 private:
  static void Say(Session& session, const std::string& text) {
    if (!session.console.json()) session.console.out() << Printable(text) << std::endl;
  }

  Status WaitForAgent(Session& session) const {
    FLEETMARK_ASSIGN_OR_RETURN(const double limit_s, ParseLimit(agent_timeout_, "--agent-timeout"));
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(limit_s);
    bool is_told = false;
    while (true) {
      FLEETMARK_ASSIGN_OR_RETURN(const v1::ListAgentsResponse list,
                                 session.client.Call(&Client::Stub::ListAgents, v1::ListAgentsRequest()));
      for (const v1::AgentInfo& agent : list.agents()) {
        if (CanRun(agent)) return OkStatus();
      }
      if (std::chrono::steady_clock::now() >= deadline) return NoAgent(list, session.client.address(), agent_timeout_);
      if (!is_told) Say(session, "waiting for an agent, at most " + agent_timeout_);
      is_told = true;
      std::this_thread::sleep_for(kPollInterval);
    }
  }

  v1::SubmitRequest RequestFor(const std::string& workload) const {
    v1::SubmitRequest request;
    request.set_workload(workload);
    request.add_on("all");
    request.set_profile(profile_);
    request.set_note("fleetmark demo");
    auto& parameters = *request.mutable_parameters();
    if (workload == "mnist_cnn") parameters["epochs"] = "1";
    if (quick_) parameters["duration_s"] = kQuickDurationS;
    return request;
  }

  static void Print(Console& console, const v1::DemoDocument& document) {
    if (console.json()) {
      console.PrintDocument(document);
      return;
    }
    console.out() << "\n" << RenderOutcome(document.runs(), console.terminal(), console.NowUnixS());
    for (const v1::Leaderboard& board : document.leaderboards()) {
      console.out() << "\n" << RenderLeaderboard(board, console.terminal());
    }
  }

  bool quick_ = false;
  std::string profile_ = kStockProfile, agent_timeout_ = "60s";
};

}  // namespace

std::unique_ptr<Verb> MakeDemo() { return std::make_unique<DemoVerb>(); }

}  // namespace fleetmark
