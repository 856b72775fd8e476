#include <CLI/CLI.hpp>
#include <map>

#include "common/time_text.h"
#include "coordinator/cli/client.h"
#include "coordinator/cli/console.h"
#include "coordinator/cli/render/run_table.h"
#include "coordinator/cli/render/table.h"
#include "coordinator/cli/render/text.h"
#include "coordinator/cli/verb.h"

namespace fleetmark {
namespace {

std::string JoinDevices(const v1::AgentInfo& agent) {
  std::string text;
  for (const v1::Device& device : agent.devices()) {
    text += (text.empty() ? "" : ", ") + device.name();
    if (!device.model().empty()) text += " (" + device.model() + ")";
  }
  return text;
}

std::string JoinRuntimes(const v1::AgentInfo& agent) {
  std::string text;
  for (const v1::Runtime& runtime : agent.runtimes()) {
    if (!runtime.unavailable().empty()) continue;
    text += (text.empty() ? "" : ", ") + runtime.name() + " " + runtime.description().runtime_version();
  }
  return text.empty() ? "none" : text;
}

// The agent whose entry has the version, labels, devices and runtimes of this one.
const v1::AgentInfo& SetUpOf(const v1::AgentInfo& agent, const v1::ListAgentsResponse& list) {
  const bool is_elsewhere = agent.has_like() && agent.like() >= 0 && agent.like() < list.agents_size();
  return is_elsewhere ? list.agents(agent.like()) : agent;
}

std::string RenderAgents(const v1::ListAgentsResponse& list, const Terminal& terminal, double now_unix_s) {
  Table table({{"NAME", kEssential, 10},
               {"STATE"},
               {"DEVICES", 95, 16},
               {"RUNTIMES", 60, 12},
               {"ADDRESS", 70},
               {"WAITING", 30, 0, Align::kRight},
               {"LABELS", 40, 10},
               {"LAST SEEN", 50},
               {"VERSION", 20},
               {"WHY", 80, 16}});
  for (const v1::AgentInfo& agent : list.agents()) {
    const v1::AgentInfo& set_up = SetUpOf(agent, list);
    table.AddRow({agent.name(),
                  {agent.state(), StyleOfState(agent.state())},
                  JoinDevices(set_up),
                  JoinRuntimes(set_up),
                  agent.address(),
                  agent.queued_runs() > 0 ? std::to_string(agent.queued_runs()) : "",
                  JoinParameters(set_up.labels()),
                  FormatTimeBriefly(agent.last_seen_unix_s(), now_unix_s),
                  set_up.version(),
                  agent.reason()});
  }
  std::string text = table.Render(terminal);
  // A machine without a framework is no news; said once for all that lack it.
  std::map<std::pair<std::string, std::string>, std::string> agents_without;
  for (const v1::AgentInfo& agent : list.agents()) {
    for (const v1::Runtime& runtime : SetUpOf(agent, list).runtimes()) {
      if (runtime.unavailable().empty()) continue;
      std::string& names = agents_without[{runtime.name(), runtime.unavailable()}];
      names += (names.empty() ? "" : ", ") + agent.name();
    }
  }
  if (!agents_without.empty()) text += "\n";
  for (const auto& [runtime, names] : agents_without) {
    const std::string line = "no " + runtime.first + " on " + names + ": " + runtime.second;
    text += Paint(Wrap(Printable(line), terminal.width, 2), Style::kDim, terminal) + "\n";
  }
  return text;
}

class AgentsVerb : public Verb {
 public:
  VerbHelp Help() const override {
    return {"List the agents; add, remove, drain or resume one",
            "A drained agent finishes its run and gets no new one until it is resumed.",
            "fleetmark agents add 127.0.0.1:7810",
            {}};
  }

  void Declare(CLI::App* app) override {
    add_ = Action(app, "add", "Make an agent known by its address", &address_, "HOST:PORT");
    remove_ = Action(app, "remove", "Forget an agent; its results stay", &name_, "NAME");
    drain_ = Action(app, "drain", "Give an agent no new runs", &name_, "NAME");
    resume_ = Action(app, "resume", "Give it runs again", &name_, "NAME");
    app->require_subcommand(0, 1);
  }

  StatusOr<ExitCode> Run(Session& session) override {
    if (add_->parsed()) {
      v1::AddAgentRequest request;
      request.set_address(address_);
      return Tell(session, session.client.Call(&Client::Stub::AddAgent, request), "added");
    }
    if (remove_->parsed()) {
      v1::RemoveAgentRequest request;
      request.set_name(name_);
      return Tell(session, session.client.Call(&Client::Stub::RemoveAgent, request), "removed");
    }
    if (drain_->parsed() || resume_->parsed()) {
      v1::DrainAgentRequest request;
      request.set_name(name_);
      request.set_on(drain_->parsed());
      return Tell(session, session.client.Call(&Client::Stub::DrainAgent, request),
                  drain_->parsed() ? "drained" : "resumed");
    }
    return List(session);
  }

 private:
  static CLI::App* Action(CLI::App* app, const std::string& name, const std::string& doc, std::string* value,
                          const std::string& type) {
    CLI::App* action = app->add_subcommand(name, doc);
    action->add_option(type == "NAME" ? "name" : "address", *value, doc)->required()->type_name(type);
    action->group("Actions");
    action->fallthrough();
    return action;
  }

  static StatusOr<ExitCode> Tell(Session& session, const StatusOr<v1::AgentInfo>& agent, const std::string& what) {
    if (!agent.ok()) return agent.status();
    if (session.console.json()) {
      session.console.PrintDocument(*agent);
      return ExitCode::kDone;
    }
    session.console.out() << what << " " << Printable(agent->name());
    if (!agent->address().empty()) session.console.out() << " at " << Printable(agent->address());
    session.console.out() << ", now " << Printable(agent->state()) << "\n";
    return ExitCode::kDone;
  }

  static StatusOr<ExitCode> List(Session& session) {
    Console& console = session.console;
    v1::ListAgentsRequest request;
    request.set_brief(!console.json());
    request.set_once(!console.json());
    FLEETMARK_ASSIGN_OR_RETURN(const v1::ListAgentsResponse list,
                               session.client.Call(&Client::Stub::ListAgents, request));
    if (console.json()) {
      console.PrintDocument(list);
    } else if (list.agents().empty()) {
      console.out() << "no agents yet; start one: fleetmark-agent serve --coordinator " << session.client.address()
                    << "\n";
    } else {
      console.out() << RenderAgents(list, console.terminal(), console.NowUnixS());
    }
    return ExitCode::kDone;
  }

  std::string address_, name_;
  CLI::App* add_ = nullptr;
  CLI::App* remove_ = nullptr;
  CLI::App* drain_ = nullptr;
  CLI::App* resume_ = nullptr;
};

}  // namespace

std::unique_ptr<Verb> MakeAgents() { return std::make_unique<AgentsVerb>(); }

}  // namespace fleetmark
