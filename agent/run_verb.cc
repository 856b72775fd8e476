#include <signal.h>
#include <spdlog/spdlog.h>
#include <stdlib.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <atomic>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "agent/agent_settings.h"
#include "agent/local_run.h"
#include "agent/runners.h"
#include "agent/verbs.h"
#include "common/log.h"
#include "common/proto_json.h"
#include "common/time_text.h"
#include "common/vocabulary.h"

namespace fleetmark::agent {
namespace {

struct RunArguments {
  AgentSettings values;
  Settings settings;
  std::string workload;
  std::vector<std::string> parameters;
  std::string device;
  std::string profile = kStockProfile;
  std::string runtime = kOwnRuntime;
  std::string telemetry = kTelemetryOn;
  std::string timeout = "1h";
  std::string state_dir;
  bool json = false;
};

constexpr int kExitFailed = 1;
constexpr int kExitTimedOut = 124;
constexpr int kExitInterrupted = 130;

std::atomic<bool> is_interrupted = false;

// "epoch 3  12.100 s  loss 0.2011  val_accuracy 0.9871", of the scores those that it has.
std::string EpochText(const v1::TrainingEpoch& epoch) {
  std::array<char, 400> text{};  // a number has up to 309 digits
  std::snprintf(text.data(), text.size(), "epoch %d  %.3f s", epoch.epoch(), epoch.epoch_s());
  std::string line = text.data();
  const auto add = [&](const char* name, bool has, double value) {
    if (!has) return;
    std::snprintf(text.data(), text.size(), "  %s %.4f", name, value);
    line += text.data();
  };
  add("loss", epoch.has_loss(), epoch.loss());
  add("val_accuracy", epoch.has_val_accuracy(), epoch.val_accuracy());
  return line;
}

void PrintProgress(const v1::RunEvent& event) {
  const bool is_terminal = isatty(STDERR_FILENO) != 0;
  if (event.has_progress() && is_terminal) {
    const v1::Progress& progress = event.progress();
    std::fprintf(stderr, "\r\033[K%s %.0f/%.0f  %.4g %s", progress.phase().c_str(), progress.done(), progress.total(),
                 progress.rate(), progress.rate_unit().c_str());
  } else if (event.has_phase()) {
    std::fprintf(stderr, "%s%s\n", is_terminal ? "\r\033[K" : "", event.phase().name().c_str());
  } else if (event.has_training_epoch()) {
    std::fprintf(stderr, "%s%s\n", is_terminal ? "\r\033[K" : "", EpochText(event.training_epoch()).c_str());
  } else if (event.has_status() && event.status().state() == "result_ready" && is_terminal) {
    std::fprintf(stderr, "\r\033[K");
  }
}

void PrintSamplingCost(const v1::Telemetry& telemetry) {
  if (!telemetry.has_cost()) return;
  const v1::TelemetryCost& cost = telemetry.cost();
  std::printf("\n  sampling makes a step %.3f %% longer", 100 * cost.share());
  if (cost.has_ci_low()) std::printf(", 95 %% interval %.3f to %.3f %%", 100 * cost.ci_low(), 100 * cost.ci_high());
  std::printf(", of %d pairs of blocks\n", cost.blocks());
}

void PrintResult(const RunArguments& arguments, const v1::AttemptReport& report) {
  const v1::Result& result = report.result();
  const v1::Environment& environment = result.environment();
  const std::string model =
      environment.device().model().empty() ? environment.cpu_model() : environment.device().model();
  std::printf("%s, %s, on %s\n%s %s, %d threads, allocator %s, stopped by %s\n\n", arguments.workload.c_str(),
              arguments.profile.c_str(), model.c_str(), environment.runtime().c_str(),
              environment.runtime_version().c_str(), environment.threads(), environment.allocator().c_str(),
              result.summary().stop_reason().c_str());
  for (const v1::Metric& metric : result.metrics()) {
    std::printf("  %-22s %14.6g %-6s", metric.name().c_str(), metric.value(), metric.unit().c_str());
    if (metric.has_ci_low())
      std::printf("  95 %% interval %.6g to %.6g, n %d", metric.ci_low(), metric.ci_high(), metric.n());
    std::printf("%s\n", metric.name() == result.primary_metric() ? "  <" : "");
  }
  PrintSamplingCost(result.telemetry());
  for (const std::string& note : result.summary().notes()) std::printf("\n  note: %s\n", note.c_str());
  std::printf("\n%s\n", result.verdict().kind().c_str());
  for (const std::string& evidence : result.verdict().evidence()) std::printf("  - %s\n", evidence.c_str());
}

int ReportOutcome(const RunArguments& arguments, const v1::AttemptReport& report) {
  if (arguments.json) std::printf("%s\n", ToJson(report, true).c_str());
  if (report.outcome() == "succeeded") {
    if (!arguments.json) PrintResult(arguments, report);
    return 0;
  }
  std::fprintf(stderr, "fleetmark-agent: %s %s: %s\n", arguments.workload.c_str(), report.outcome().c_str(),
               report.failure().message().c_str());
  if (!report.failure().hint().empty()) std::fprintf(stderr, "  hint: %s\n", report.failure().hint().c_str());
  if (!report.stderr_tail().empty()) std::fprintf(stderr, "  it printed at last:\n%s\n", report.stderr_tail().c_str());
  if (is_interrupted) return kExitInterrupted;
  return report.outcome() == "timed_out" ? kExitTimedOut : kExitFailed;
}

// A journal of its own, so that it never meets that of a running agent; gone at the end unless it was named.
class RunDirectory {
 public:
  explicit RunDirectory(const std::string& named) : path_(named), is_temporary_(named.empty()) {
    if (!is_temporary_) return;
    std::string name = (std::filesystem::temp_directory_path() / "fleetmark-run-XXXXXX").string();
    if (mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~RunDirectory() {
    std::error_code error;
    if (is_temporary_ && !path_.empty()) std::filesystem::remove_all(path_, error);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  bool is_temporary_;
};

StatusOr<LocalRunRequest> MakeLocalRequest(const RunArguments& arguments) {
  LocalRunRequest request;
  request.workload = arguments.workload;
  request.runtime = arguments.runtime;
  request.device = arguments.device;
  request.profile = arguments.profile;
  request.telemetry = arguments.telemetry;
  FLEETMARK_ASSIGN_OR_RETURN(request.timeout_s, ParseDuration(arguments.timeout));
  for (const std::string& word : arguments.parameters) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0) {
      return InvalidArgument("--set " + word + " is not NAME=VALUE", "for example --set n=4096");
    }
    request.parameters[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return request;
}

StatusOr<int> Run(const RunArguments& arguments) {
  FLEETMARK_RETURN_IF_ERROR(InitialiseLog("error", "text"));
  FLEETMARK_ASSIGN_OR_RETURN(const LocalRunRequest request, MakeLocalRequest(arguments));
  for (const int number : {SIGINT, SIGTERM}) signal(number, [](int) { is_interrupted = true; });
  signal(SIGPIPE, SIG_IGN);
  const RunDirectory directory(arguments.state_dir);
  AgentLoop::Options options = arguments.values.ForLoop();
  options.state_directory = directory.path();
  options.min_free_bytes = 0;  // a limit of serve alone
  options.offer.runtimes = DescribeRunners(options.runners);
  FLEETMARK_ASSIGN_OR_RETURN(const std::unique_ptr<AgentLoop> loop, AgentLoop::Start(options));
  FLEETMARK_ASSIGN_OR_RETURN(const v1::AttemptReport report,
                             RunLocally(loop.get(), request, PrintProgress, [] { return is_interrupted.load(); }));
  return ReportOutcome(arguments, report);
}

// With --json an error is the one document on stdout.
int ReportError(const RunArguments& arguments, const Status& status) {
  if (arguments.json) {
    const nlohmann::ordered_json document = {{"error",
                                              {{"code", std::string(StatusCodeName(status.code()))},
                                               {"kind", status.kind()},
                                               {"message", status.message()},
                                               {"hint", status.hint()}}}};
    std::printf("%s\n", document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  }
  return ReportStatus(status);
}

}  // namespace

void AddRunVerb(CLI::App* app, int* exit_code) {
  CLI::App* verb = app->add_subcommand("run", "Measure this machine alone, without servers");
  const auto arguments = std::make_shared<RunArguments>();
  verb->add_option("WORKLOAD", arguments->workload, "What to run")->required();
  verb->add_option("--set", arguments->parameters, "A parameter of the workload, NAME=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  verb->add_option("--device", arguments->device, "cpu, cuda, cuda:1; default: the machine's best");
  verb->add_option("--profile", arguments->profile, "stock or tuned")->capture_default_str();
  verb->add_option("--runtime", arguments->runtime, "What executes the workload")->capture_default_str();
  verb->add_option("--telemetry", arguments->telemetry,
                   "Sensors beside the run: on, off, or alternating, which tells what reading them costs")
      ->capture_default_str();
  verb->add_option("--timeout", arguments->timeout, "Longest time it may take: 90, 15m, 2h")->capture_default_str();
  verb->add_option("--state-dir", arguments->state_dir,
                   "Directory to keep journal and log in; default: a temporary one");
  verb->add_flag("--json", arguments->json, "Print the whole report as JSON");
  arguments->values.AddMachine(&arguments->settings);
  arguments->settings.AddTo(verb);
  verb->callback([arguments, exit_code] {
    StatusOr<int> result = 0;
    if (const Status status = arguments->settings.Resolve(); !status.ok()) {
      result = status;
    } else {
      result = Run(*arguments);
    }
    *exit_code = result.ok() ? *result : ReportError(*arguments, result.status());
  });
}

}  // namespace fleetmark::agent
