#include <CLI/CLI.hpp>
#include <algorithm>

#include "common/run_spec.h"
#include "common/suggest.h"
#include "common/vocabulary.h"
#include "coordinator/cli/client.h"
#include "coordinator/cli/console.h"
#include "coordinator/cli/render/text.h"
#include "coordinator/cli/render/tune_report.h"
#include "coordinator/cli/run_filter.h"
#include "coordinator/cli/tuner.h"
#include "coordinator/cli/wait_flags.h"

namespace fleetmark {
namespace {

using Assignments = std::vector<std::pair<std::string, std::string>>;

class TuneVerb : public Verb {
 public:
  VerbHelp Help() const override {
    return {
        "Find the fastest settings of a workload on one machine, and keep them as its tuned profile",
        "It tries what leaves the computation the same (`fleetmark workloads NAME` marks it BOARD \"row\"), compares "
        "losses with\nstock's, and keeps the best: --profile tuned has those settings there from then on. Ctrl-C takes "
        "everything back.",
        "fleetmark tune mnist_cnn --on lab-3 --budget 10m",
        {ExitCode::kRunFailed, ExitCode::kTimeout, ExitCode::kInterrupted}};
  }

  void Declare(CLI::App* app) override {
    app->add_option("workload", workload_, "What to tune")->type_name("WORKLOAD");
    app->add_option("--on", on_, "The agent whose machine it is")->type_name("NAME");
    app->add_option("--device", device_, "cpu, cuda or cuda:1 [the machine's best]")->type_name("DEVICE");
    app->add_option("--runtime", runtime_, "What executes it [libtorch]")->type_name("NAME");
    DeclareSet(app, &set_, "Set a parameter that is not searched, such as batch (repeatable)");
    app->add_option("--vary", vary_, "A search for each of these boards: dtype=fp32,bf16 (repeatable)")
        ->type_name("NAME=A,B,...")
        ->allow_extra_args(false);
    app->add_option("--budget", budget_, "How long it may take in all [10m]")->type_name("DURATION");
    CLI::Option* list = app->add_flag("--list", list_, "Show the profiles that are kept; of a WORKLOAD what was tried");
    app->add_flag("--forget", forget_, "Forget what is kept for WORKLOAD on that agent")->excludes(list);
  }

  StatusOr<ExitCode> Run(Session& session) override {
    if (list_) return List(session);
    if (workload_.empty())
      return InvalidArgument("what to tune is missing: a WORKLOAD", "fleetmark workloads lists them");
    if (on_.empty()) return InvalidArgument("the machine is missing: --on NAME", "fleetmark agents lists them");
    if (forget_) return Forget(session);
    FLEETMARK_ASSIGN_OR_RETURN(const double budget_s, ParseLimit(budget_, "--budget"));
    v1::SubmitRequest request;
    FLEETMARK_RETURN_IF_ERROR(FillParameters(set_, &request));
    FLEETMARK_ASSIGN_OR_RETURN(const std::vector<Assignments> boards, Boards());
    std::vector<TuneTarget> targets;
    FLEETMARK_ASSIGN_OR_RETURN(const v1::AgentInfo agent, FindAgent(session));
    for (const Assignments& board : boards) {
      v1::SubmitRequest one = request;
      for (const auto& [name, value] : board) (*one.mutable_parameters())[name] = value;
      FLEETMARK_ASSIGN_OR_RETURN(TuneTarget target, MakeTarget(agent, one));
      FLEETMARK_RETURN_IF_ERROR(CheckFixed(*target.placement.workload, request, board));
      targets.push_back(std::move(target));
    }
    return TuneAll(session, targets, budget_s);
  }

 private:
  // Every combination of what --vary names; one without any when it names nothing.
  StatusOr<std::vector<Assignments>> Boards() const {
    std::vector<Assignments> boards = {{}};
    FLEETMARK_ASSIGN_OR_RETURN(const Assignments varied, ParseAssignments(vary_, "--vary"));
    for (const auto& [name, list] : varied) {
      std::vector<Assignments> more;
      for (const std::string& value : CLI::detail::split(list, ',')) {
        for (Assignments board : boards) {
          board.emplace_back(name, value);
          more.push_back(std::move(board));
        }
      }
      boards = std::move(more);
    }
    return boards;
  }

  StatusOr<v1::AgentInfo> FindAgent(Session& session) const {
    FLEETMARK_ASSIGN_OR_RETURN(const v1::ListAgentsResponse list,
                               session.client.Call(&Client::Stub::ListAgents, v1::ListAgentsRequest()));
    std::vector<std::string> names;
    for (const v1::AgentInfo& agent : list.agents()) {
      names.push_back(agent.name());
      if (agent.name() != on_) continue;
      if (agent.state() == "offline" || agent.state() == "draining") {
        return FailedPrecondition("agent " + on_ + " is " + agent.state() + ": " + agent.reason(),
                                  agent.state() == "offline" ? "start it" : "fleetmark agents resume " + on_,
                                  "agent_" + agent.state());
      }
      FLEETMARK_RETURN_IF_ERROR(CheckKnowsProfiles(agent.name(), agent.version(), agent.features()));
      return agent;
    }
    return NotFound("there is no agent \"" + on_ + "\"", SuggestFrom(on_, names), "unknown_agent");
  }

  StatusOr<TuneTarget> MakeTarget(const v1::AgentInfo& agent, v1::SubmitRequest request) const {
    request.set_workload(workload_);
    request.set_runtime(runtime_);
    request.set_device(device_);
    auto machine = std::make_shared<v1::AgentDescription>();
    machine->set_name(agent.name());
    *machine->mutable_runtimes() = agent.runtimes();
    TuneTarget target;
    target.agent = agent;
    target.machine = machine;
    FLEETMARK_ASSIGN_OR_RETURN(target.placement, PlaceOn(*machine, request));
    if (target.placement.devices.size() > 1)
      return InvalidArgument("one device is tuned at a time, not all", "name it");
    for (const v1::Device& device : agent.devices()) {
      if (device.name() == target.placement.devices.front()) target.device = device;
    }
    return target;
  }

  // What is searched cannot be set, and what makes no board cannot be varied.
  static Status CheckFixed(const v1::WorkloadSpec& workload, const v1::SubmitRequest& set, const Assignments& varied) {
    for (const v1::ParameterSpec& spec : workload.parameters()) {
      const bool is_set = set.parameters().contains(spec.name());
      const bool is_varied = std::any_of(varied.begin(), varied.end(),
                                         [&](const auto& assignment) { return assignment.first == spec.name(); });
      if (is_set && is_varied) return InvalidArgument(spec.name() + " stands both in --set and in --vary");
      if ((is_set || is_varied) && spec.tunable()) {
        return InvalidArgument(spec.name() + " is what the search varies by itself", "leave it out", "bad_parameter");
      }
      if (is_varied && !spec.defines_board()) {
        return InvalidArgument(spec.name() + " does not define a board of " + workload.name(),
                               "give it once, with --set " + spec.name() + "=...", "bad_parameter");
      }
      if (is_set && (spec.name() == "duration_s" || spec.name() == "until_ci")) {
        return InvalidArgument(spec.name() + " cannot be set: every candidate takes the same number of steps",
                               "give --set steps=N", "bad_parameter");
      }
    }
    return OkStatus();
  }

  // Keeps what was found for all boards, at the end, or nothing.
  StatusOr<ExitCode> TuneAll(Session& session, const std::vector<TuneTarget>& targets, double budget_s) const {
    Console& console = session.console;
    v1::TuneDocument document;
    double left_s = budget_s;
    for (size_t i = 0; i < targets.size(); ++i) {
      if (!console.json()) console.out() << "tuning " << Printable(Subject(targets[i])) << std::endl;
      const TuneBudget budget = {budget_s, static_cast<int>(targets.size()),
                                 left_s / static_cast<double>(targets.size() - i)};
      StatusOr<v1::TuneOutcome> outcome = Tuner(session, targets[i]).Tune(budget);
      if (!outcome.ok()) {
        const Status& why = outcome.status();
        const std::string of = targets.size() > 1 ? "board " + BoardOf(targets[i]) + ": " : "";
        return Status(why.code(), of + why.message() + "; nothing was kept", why.hint(), why.kind());
      }
      left_s -= outcome->took_s();
      *document.add_boards() = *std::move(outcome);
    }
    FLEETMARK_RETURN_IF_ERROR(Keep(session, &document));
    if (console.json()) console.PrintDocument(document);
    for (size_t i = 0; i < targets.size() && !console.json(); ++i) {
      if (targets.size() > 1) console.out() << "\n" << Printable(Subject(targets[i]));
      Print(console, targets[i], document.boards(static_cast<int>(i)));
    }
    return ExitCode::kDone;
  }

  // Replaces the profiles by what they are as they are kept.
  static Status Keep(Session& session, v1::TuneDocument* document) {
    v1::KeepProfilesRequest request;
    for (const v1::TuneOutcome& outcome : document->boards()) *request.add_profiles() = outcome.profile();
    FLEETMARK_ASSIGN_OR_RETURN(v1::KeepProfilesResponse kept,
                               session.client.Call(&Client::Stub::KeepProfiles, request));
    for (int i = 0; i < std::min(document->boards_size(), kept.profiles_size()); ++i) {
      document->mutable_boards(i)->mutable_profile()->Swap(kept.mutable_profiles(i));
    }
    return OkStatus();
  }

  static std::string BoardOf(const TuneTarget& target) {
    return BoardKey(*target.placement.workload, target.placement.parameters);
  }

  static std::string Subject(const TuneTarget& target) {
    const Placement& place = target.placement;
    const std::string board = BoardOf(target);
    return place.workload->name() + " on " + target.agent.name() + ", " + target.device.name() + ", " + place.runtime +
           (board.empty() ? "" : ", board " + board);
  }

  static void Print(Console& console, const TuneTarget& target, const v1::TuneOutcome& outcome) {
    const v1::TunedProfile& profile = outcome.profile();
    console.out() << "\n" << RenderTried(profile, console.terminal()) << "\n";
    if (!outcome.compares_losses()) console.out() << "it has no loss, so nothing was compared but the speed\n";
    console.out() << Printable(outcome.summary()) << "\n";
    std::string command = "fleetmark submit " + profile.workload() + " --profile tuned --on " + profile.agent();
    if (profile.runtime() != kOwnRuntime) command += " --runtime " + profile.runtime();
    for (const v1::ParameterSpec& spec : target.placement.workload->parameters()) {
      const auto value = profile.parameters().find(spec.name());
      if (value == profile.parameters().end() || value->second == spec.default_value()) continue;
      command += " --set " + spec.name() + "=" + value->second;
    }
    console.out() << "use it: " << Printable(command) << std::endl;
  }

  StatusOr<v1::ProfileFilter> Filter() const {
    v1::ProfileFilter filter;
    FLEETMARK_RETURN_IF_ERROR(FillParameters(set_, &filter));
    filter.set_workload(workload_);
    filter.set_agent(on_);
    filter.set_device(device_);
    filter.set_runtime(runtime_);
    return filter;
  }

  StatusOr<ExitCode> List(Session& session) const {
    FLEETMARK_ASSIGN_OR_RETURN(const v1::ProfileFilter filter, Filter());
    FLEETMARK_ASSIGN_OR_RETURN(const v1::ListProfilesResponse list,
                               session.client.Call(&Client::Stub::ListProfiles, filter));
    Console& console = session.console;
    if (console.json()) {
      console.PrintDocument(list);
      return ExitCode::kDone;
    }
    if (list.profiles().empty()) {
      console.out() << "no profiles are kept" << (workload_.empty() && on_.empty() ? "" : " for that")
                    << "; find one: " << Help().example << "\n";
      return ExitCode::kDone;
    }
    console.out() << RenderProfiles(list, console.terminal(), console.NowUnixS());
    if (workload_.empty()) return ExitCode::kDone;
    for (const v1::TunedProfile& profile : list.profiles()) {
      console.out() << "\n" << Printable(profile.agent() + ", " + profile.device() + ", " + profile.board()) << "\n";
      console.out() << RenderTried(profile, console.terminal());
    }
    return ExitCode::kDone;
  }

  StatusOr<ExitCode> Forget(Session& session) const {
    FLEETMARK_ASSIGN_OR_RETURN(const v1::ProfileFilter filter, Filter());
    FLEETMARK_ASSIGN_OR_RETURN(const v1::ListProfilesResponse list,
                               session.client.Call(&Client::Stub::ForgetProfiles, filter));
    Console& console = session.console;
    if (console.json()) {
      console.PrintDocument(list);
    } else {
      console.out() << "forgotten; --profile tuned is the workload's own there again:\n"
                    << RenderProfiles(list, console.terminal(), console.NowUnixS());
    }
    return ExitCode::kDone;
  }

  std::string workload_, on_, device_, runtime_, budget_ = "10m";
  std::vector<std::string> set_, vary_;
  bool list_ = false, forget_ = false;
};

}  // namespace

std::unique_ptr<Verb> MakeTune() { return std::make_unique<TuneVerb>(); }

}  // namespace fleetmark
