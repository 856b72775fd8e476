#include <CLI/CLI.hpp>

#include "common/vocabulary.h"
#include "coordinator/cli/client.h"
#include "coordinator/cli/console.h"
#include "coordinator/cli/render/run_table.h"
#include "coordinator/cli/render/text.h"
#include "coordinator/cli/run_filter.h"
#include "coordinator/cli/run_watcher.h"
#include "coordinator/cli/submission.h"
#include "coordinator/cli/suite.h"
#include "coordinator/cli/verb.h"
#include "coordinator/cli/wait_flags.h"
#include "fleetmark/v1/cli.pb.h"

namespace fleetmark {
namespace {

class SubmitVerb : public Verb {
 public:
  VerbHelp Help() const override {
    return {"Submit a job: a workload on one or more machines",
            "fleetmark workloads NAME lists the parameters that --set takes. Flags beat what a suite's jobs say.\n"
            "With --json the document has job_id, run_ids and, with --wait, the runs as they ended.",
            "fleetmark submit mnist_cnn --set epochs=1 --on all --profile tuned --wait",
            {ExitCode::kRunFailed, ExitCode::kTimeout, ExitCode::kInterrupted}};
  }

  void Declare(CLI::App* app) override {
    app->add_option("workload", request_.workload, "What to run")->type_name("WORKLOAD");
    app->add_option("--suite", suite_, "Submit the jobs of a suite: " + Names(SuiteNames()) + " or a file")
        ->type_name("NAME|FILE.toml");
    DeclareSet(app, &set_, "Set a parameter (repeatable)");
    app->add_option("--on", on_, "Agent's name, all, any or label=value (repeatable; labels are and-ed) [any]")
        ->type_name("TARGET")
        ->allow_extra_args(false);
    app->add_option("--device", request_.device, "cpu, cuda, cuda:1 or all [the machine's best]")->type_name("DEVICE");
    app->add_option("--runtime", request_.runtime, "What executes it; all: every runtime that a machine has [libtorch]")
        ->type_name("NAME");
    app->add_option("--profile", request_.profile, "stock (as a plain script runs) or tuned [stock]")
        ->check(CLI::IsMember(kProfiles).description(""))
        ->type_name("PROFILE");
    app->add_option("--telemetry", request_.telemetry,
                    "Sample the machine beside the run: on, off, or alternating blocks that tell what it costs [on]")
        ->check(CLI::IsMember(kTelemetryModes).description(""))
        ->type_name("MODE");
    app->add_option("--repeat", repeat_, "How often on each device [1]")
        ->check(CLI::Range(1, 10000).description(""))
        ->type_name("N");
    app->add_option("--retries", retries_, "How often to retry when the infrastructure failed [0]")
        ->check(CLI::Range(0, 100).description(""))
        ->type_name("N");
    app->add_option("--timeout", timeout_, "Longest time of one attempt: 90s, 15m, 2h [1h]")->type_name("DURATION");
    app->add_option("--priority", priority_, "More is sooner [0]")->type_name("N");
    app->add_option("--note", request_.note, "Free text that is kept with the job")->type_name("TEXT");
    app->add_flag("--wait", wait_, "Wait until all runs have ended; shows live progress in a terminal");
    app->add_flag("--watch", watch_, "As --wait, and prints progress lines where there is no terminal");
    app->add_option("--wait-timeout", wait_timeout_, "Stop waiting after this time; the runs go on")
        ->type_name("DURATION");
  }

  StatusOr<ExitCode> Run(Session& session) override {
    FLEETMARK_ASSIGN_OR_RETURN(const v1::SubmitRequest request, ToRequest());
    FLEETMARK_ASSIGN_OR_RETURN(const double wait_timeout_s, ParseLimit(wait_timeout_, "--wait-timeout"));
    const bool waits = wait_ || watch_;
    if (wait_timeout_s > 0 && !waits) return InvalidArgument("--wait-timeout needs --wait or --watch");
    if (request.workload().empty() == suite_.empty()) {
      return InvalidArgument(suite_.empty() ? "what to submit is missing: a WORKLOAD or --suite"
                                            : "a WORKLOAD and --suite do not go together");
    }
    if (!suite_.empty()) return RunSuite(session, request, wait_timeout_s);
    FLEETMARK_ASSIGN_OR_RETURN(v1::SubmitResponse response, SubmitJob(session, request));
    Console& console = session.console;
    if (!console.json()) Announce(console, response, waits);
    if (!waits) {
      if (console.json()) console.PrintDocument(response);
      return ExitCode::kDone;
    }
    FLEETMARK_ASSIGN_OR_RETURN(
        const std::vector<v1::RunInfo> runs,
        WatchRuns(session, {{response.job_id()}, wait_timeout_s, true}, ChooseProgressMode(console, watch_)));
    *response.mutable_runs() = {runs.begin(), runs.end()};
    if (console.json()) {
      console.PrintDocument(response);
    } else {
      console.out() << "\n" << RenderOutcome(response.runs(), console.terminal(), console.NowUnixS());
    }
    return ExitCodeOf(runs);
  }

 private:
  // What CLI11 writes into; a proto message has no fields to point at.
  struct {
    std::string workload, device, runtime, profile, telemetry, note;
  } request_;

  StatusOr<v1::SubmitRequest> ToRequest() const {
    v1::SubmitRequest request;
    FLEETMARK_RETURN_IF_ERROR(FillParameters(set_, &request));
    FLEETMARK_ASSIGN_OR_RETURN(const double timeout_s, ParseLimit(timeout_, "--timeout"));
    request.set_timeout_s(timeout_s);
    request.set_workload(request_.workload);
    for (const std::string& target : on_) request.add_on(target);
    request.set_device(request_.device);
    request.set_runtime(request_.runtime);
    request.set_profile(request_.profile);
    request.set_telemetry(request_.telemetry);
    request.set_repeat(repeat_);
    request.set_retries(retries_);
    request.set_priority(priority_);
    request.set_note(request_.note);
    return request;
  }

  // All of its jobs or none: what was submitted before a refusal is cancelled.
  StatusOr<ExitCode> RunSuite(Session& session, const v1::SubmitRequest& flags, double wait_timeout_s) const {
    Console& console = session.console;
    FLEETMARK_ASSIGN_OR_RETURN(const Suite suite, LoadSuite(suite_));
    v1::SuiteDocument document;
    document.set_suite(suite.name);
    WatchRequest watch = {{}, wait_timeout_s, true};
    for (v1::SubmitRequest job : suite.jobs) {
      if (!flags.on().empty()) job.clear_on();
      job.MergeFrom(flags);  // what no flag gave is empty there and changes nothing
      StatusOr<v1::SubmitResponse> response = SubmitJob(session, job);
      if (!response.ok()) return TakeBack(session, suite, job, watch.ids, response.status());
      watch.ids.push_back(response->job_id());
      if (!console.json()) console.out() << job.workload() << ": ";
      if (!console.json()) Announce(console, *response, true);
      *document.add_jobs() = *std::move(response);
    }
    if (!wait_ && !watch_) {
      if (console.json()) console.PrintDocument(document);
      return ExitCode::kDone;
    }
    FLEETMARK_ASSIGN_OR_RETURN(const std::vector<v1::RunInfo> runs,
                               WatchRuns(session, watch, ChooseProgressMode(console, watch_)));
    *document.mutable_runs() = {runs.begin(), runs.end()};
    if (console.json()) {
      console.PrintDocument(document);
    } else {
      console.out() << "\n" << RenderOutcome(document.runs(), console.terminal(), console.NowUnixS());
    }
    return ExitCodeOf(runs);
  }

  static Status TakeBack(Session& session, const Suite& suite, const v1::SubmitRequest& job,
                         const std::vector<std::string>& ids, const Status& refusal) {
    if (!ids.empty()) {
      v1::CancelRequest cancel;
      for (const std::string& id : ids) cancel.add_ids(id);
      cancel.set_reason("the suite was refused");
      FLEETMARK_RETURN_IF_ERROR(session.client.Call(&Client::Stub::Cancel, cancel).status());
    }
    return Status(refusal.code(), "suite " + suite.name + ", " + job.workload() + ": " + refusal.message(),
                  refusal.hint(), refusal.kind());
  }

  static std::string Names(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
    return text;
  }

  static void Announce(Console& console, const v1::SubmitResponse& response, bool waits) {
    const int runs = response.run_ids_size();
    console.out() << "job " << response.job_id() << " with " << runs << (runs == 1 ? " run" : " runs") << "\n";
    for (const std::string& sentence : response.left_out())
      console.out() << "left out: " << Printable(sentence) << "\n";
    if (!waits) console.out() << "follow it: fleetmark watch " << response.job_id() << "\n";
    console.out() << std::flush;
  }

  std::vector<std::string> set_, on_;
  std::string suite_, timeout_, wait_timeout_;
  int repeat_ = 0, retries_ = 0, priority_ = 0;
  bool wait_ = false, watch_ = false;
};

}  // namespace

std::unique_ptr<Verb> MakeSubmit() { return std::make_unique<SubmitVerb>(); }

}  // namespace fleetmark
