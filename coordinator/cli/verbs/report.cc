#include "coordinator/cli/report/report.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <set>

#include "common/suggest.h"
#include "coordinator/cli/client.h"
#include "coordinator/cli/console.h"
#include "coordinator/cli/output_file.h"
#include "coordinator/cli/render/report_html.h"
#include "coordinator/cli/render/report_markdown.h"
#include "coordinator/cli/render/report_text.h"
#include "coordinator/cli/render/text.h"
#include "coordinator/cli/report/board.h"
#include "coordinator/cli/run_filter.h"
#include "coordinator/cli/verb.h"

namespace fleetmark {
namespace {

class ReportVerb : public Verb {
 public:
  VerbHelp Help() const override {
    return {
        "Compare machines, devices and frameworks in tables and pictures, published numbers beside ours",
        "A row is one machine, device, runtime and profile, as on the leaderboard. Ratios have the interval that "
        "follows from both, and flagged results are left out of them. HTML is one file with pictures of CPU and GPU "
        "use, step times and losses.",
        "fleetmark report mnist_cnn cifar_resnet63 --since 30d --output report.html",
        {}};
  }

  void Declare(CLI::App* app) override {
    app->add_option("workload", workloads_, "What to report on [all that have results]")->type_name("WORKLOAD");
    DeclareSet(app, &set_, "Only boards with this parameter (repeatable)");
    app->add_option("--on", agents_, "Only this agent (repeatable)")->type_name("AGENT")->allow_extra_args(false);
    app->add_option("--device", device_, "Only this device or kind: cpu, cuda, cuda:1")->type_name("DEVICE");
    app->add_option("--runtime", runtime_, "Only this runtime")->type_name("NAME");
    app->add_option("--since", since_, "Only runs submitted since then: 7d, 2026-11-21")->type_name("TIME");
    app->add_option("--format", format_, "text, markdown or html [as the file of --output is named, else text]")
        ->check(CLI::IsMember({"text", "markdown", "html"}).description(""))
        ->type_name("FORMAT");
    app->add_option("--output", output_, "Write to this file, whole or not at all [standard output]")
        ->type_name("FILE");
  }

  StatusOr<ExitCode> Run(Session& session) override {
    Console& console = session.console;
    if (console.json() && !format_.empty() && output_.empty()) {
      return InvalidArgument("--json and --format contradict each other", "leave one out, or add --output FILE");
    }
    std::unique_ptr<OutputFile> file;  // first: a report that cannot be kept is not worth the wait
    if (!output_.empty()) {
      FLEETMARK_ASSIGN_OR_RETURN(file, OutputFile::Create(output_));
    }
    FLEETMARK_ASSIGN_OR_RETURN(const std::vector<ReportBoard> boards, Collect(session));
    v1::ReportDocument document = ComposeReport(boards, console.NowUnixS());
    if (file != nullptr) {
      file->stream() << Render(document, Terminal());
      FLEETMARK_RETURN_IF_ERROR(file->Commit());
      document.set_output(output_);
    }
    if (console.json()) {
      console.PrintDocument(document);
    } else if (file != nullptr) {
      console.out() << "wrote a report of " << boards.size() << (boards.size() == 1 ? " board to " : " boards to ")
                    << Printable(output_) << "\n";
    } else {
      console.out() << Render(document, console.terminal());
    }
    return ExitCode::kDone;
  }

 private:
  std::string Format() const {
    if (!format_.empty()) return format_;
    if (output_.ends_with(".html") || output_.ends_with(".htm")) return "html";
    return output_.ends_with(".md") ? "markdown" : "text";
  }

  std::string Render(const v1::ReportDocument& document, const Terminal& terminal) const {
    const std::string format = Format();
    if (format == "html") return RenderReportHtml(document);
    return format == "markdown" ? RenderReportMarkdown(document) : RenderReportText(document, terminal);
  }

  StatusOr<std::vector<ReportBoard>> Collect(Session& session) const {
    v1::RunFilter filter;
    FLEETMARK_ASSIGN_OR_RETURN(const double since, ParseMoment(since_, "--since", session.console.NowUnixS()));
    filter.set_since_unix_s(since);
    filter.set_state("succeeded");
    filter.set_device(device_);
    filter.set_runtime(runtime_);
    ReportChoice choice{workloads_, {agents_.begin(), agents_.end()}, {}};
    FLEETMARK_ASSIGN_OR_RETURN(const auto assignments, ParseAssignments(set_));
    choice.parameters.insert(assignments.begin(), assignments.end());

    Client& client = session.client;
    FLEETMARK_ASSIGN_OR_RETURN(const v1::ListWorkloadsResponse offers,
                               client.Call(&Client::Stub::ListWorkloads, v1::ListWorkloadsRequest()));
    FLEETMARK_ASSIGN_OR_RETURN(const v1::ListReferencesResponse references,
                               client.Call(&Client::Stub::ListReferences, v1::ListReferencesRequest()));
    FLEETMARK_ASSIGN_OR_RETURN(ReportCollector collector, ReportCollector::Make(choice, offers, references));
    FLEETMARK_ASSIGN_OR_RETURN(std::set<std::string> known_agents, AgentNames(client));
    const std::set<std::string> names(workloads_.begin(), workloads_.end());
    for (const std::string& workload : names.empty() ? std::set<std::string>{""} : names) {
      filter.set_workload(workload);
      grpc::ClientContext context;
      const auto take = [&](const v1::RunInfo& run) {
        known_agents.insert(run.agent());  // one that was removed has its results still
        collector.Take(run);
        return OkStatus();
      };
      FLEETMARK_RETURN_IF_ERROR(
          (client.Stream<v1::RunFilter, v1::RunInfo>(&Client::Stub::ExportRuns, filter, &context, take)));
    }
    for (const std::string& agent : agents_) {
      if (known_agents.contains(agent)) continue;
      return NotFound("there is no agent " + agent, SuggestFrom(agent, {known_agents.begin(), known_agents.end()}),
                      "unknown_agent");
    }
    return collector.TakeBoards();
  }

  static StatusOr<std::set<std::string>> AgentNames(Client& client) {
    v1::ListAgentsRequest request;
    request.set_brief(true);
    FLEETMARK_ASSIGN_OR_RETURN(const v1::ListAgentsResponse agents, client.Call(&Client::Stub::ListAgents, request));
    std::set<std::string> names;
    for (const v1::AgentInfo& agent : agents.agents()) names.insert(agent.name());
    return names;
  }

  std::vector<std::string> workloads_, set_, agents_;
  std::string device_, runtime_, since_, format_, output_;
};

}  // namespace

std::unique_ptr<Verb> MakeReport() { return std::make_unique<ReportVerb>(); }

}  // namespace fleetmark
