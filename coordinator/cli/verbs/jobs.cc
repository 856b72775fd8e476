#include <CLI/CLI.hpp>
#include <map>

#include "common/ids.h"
#include "common/time_text.h"
#include "coordinator/cli/client.h"
#include "coordinator/cli/console.h"
#include "coordinator/cli/render/run_table.h"
#include "coordinator/cli/render/table.h"
#include "coordinator/cli/verb.h"

namespace fleetmark {
namespace {

std::string RunCounts(const v1::JobInfo& job) {
  std::string text;
  const std::map<std::string, int> counts(job.runs_by_state().begin(), job.runs_by_state().end());
  for (const auto& [state, count] : counts) {
    if (count > 0) text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + state;
  }
  return text;
}

std::string RenderJobs(const v1::ListJobsResponse& list, const Terminal& terminal, double now_unix_s) {
  Table table({{"JOB"},
               {"WORKLOAD", 95, 8},
               {"PARAMETERS", 30, 10},
               {"ON", 70, 6},
               {"DEVICE", 50},
               {"PROFILE", 40},
               {"PRIORITY", 20, 0, Align::kRight},
               {"STATE"},
               {"RUNS", 90, 12},
               {"SUBMITTED", 80},
               {"NOTE", 60, 10}});
  for (const v1::JobInfo& job : list.jobs()) {
    std::string targets;
    for (const std::string& target : job.on()) targets += (targets.empty() ? "" : " ") + target;
    table.AddRow({std::string(ShortId(job.job_id())),
                  job.workload(),
                  JoinParameters(job.parameters()),
                  targets.empty() ? "any" : targets,
                  job.device(),
                  job.profile(),
                  job.priority() == 0 ? "" : std::to_string(job.priority()),
                  {job.state(), StyleOfState(job.state())},
                  RunCounts(job),
                  FormatTimeBriefly(job.submitted_unix_s(), now_unix_s),
                  job.note()});
  }
  return table.Render(terminal);
}

class JobsVerb : public Verb {
 public:
  VerbHelp Help() const override { return {"List jobs, the newest first", "", "fleetmark jobs --active", {}}; }

  void Declare(CLI::App* app) override {
    app->add_flag("--active", active_, "Only jobs that have not ended");
    app->add_option("--limit", limit_, "At most so many [50]")
        ->type_name("N")
        ->check(CLI::Range(0, 1000000000).description(""));
  }

  StatusOr<ExitCode> Run(Session& session) override {
    v1::ListJobsRequest request;
    request.set_limit(limit_);
    request.set_active_only(active_);
    FLEETMARK_ASSIGN_OR_RETURN(const v1::ListJobsResponse list, session.client.Call(&Client::Stub::ListJobs, request));
    Console& console = session.console;
    if (console.json()) {
      console.PrintDocument(list);
    } else if (list.jobs().empty()) {
      console.out() << (active_ ? "no active jobs\n" : "no jobs yet; submit one: fleetmark submit tensor_add --wait\n");
    } else {
      console.out() << RenderJobs(list, console.terminal(), console.NowUnixS());
    }
    return ExitCode::kDone;
  }

 private:
  int limit_ = 0;
  bool active_ = false;
};

}  // namespace

std::unique_ptr<Verb> MakeJobs() { return std::make_unique<JobsVerb>(); }

}  // namespace fleetmark
