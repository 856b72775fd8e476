#include "coordinator/cli/render/run_report.h"

#include <optional>

#include "common/time_text.h"
#include "coordinator/cli/render/evidence_text.h"
#include "coordinator/cli/render/facts.h"
#include "coordinator/cli/render/number.h"
#include "coordinator/cli/render/run_table.h"
#include "coordinator/cli/render/table.h"
#include "coordinator/cli/render/text.h"

namespace fleetmark {
namespace {

std::string Span(const v1::RunInfo& run) {
  if (run.started_unix_s() <= 0) return "";
  std::string text = FormatTime(run.started_unix_s());
  if (run.finished_unix_s() > 0) {
    text += " to " + FormatTime(run.finished_unix_s()) + ", " +
            FormatDuration(run.finished_unix_s() - run.started_unix_s());
  }
  return text;
}

std::string Overview(const v1::RunInfo& run, const Terminal& terminal) {
  const std::string version = run.workload_version() > 0 ? " v" + std::to_string(run.workload_version()) : "";
  Facts facts;
  facts.Add("run", run.run_id());
  facts.Add("state", run.state(), StyleOfState(run.state()));
  if (run.reason() != run.failure().message()) facts.Add("", run.reason());
  facts.Add("result", FormatPrimary(run.result()), Style::kBold);
  facts.Add("workload", run.workload() + version + ", " + run.runtime() + ", profile " + run.profile());
  facts.Add("parameters", JoinParameters(run.parameters()));
  facts.Add("own profile", JoinParameters(run.result().profile_settings()));
  facts.Add("on", (run.agent().empty() ? "any agent" : run.agent()) + ", " + run.device());
  facts.Add("job", run.job_id() + ", repetition " + std::to_string(run.repetition()));
  facts.Add("submitted", FormatTime(run.submitted_unix_s()));
  facts.Add("ran", Span(run));
  facts.Add("note", run.note());
  return facts.Render(terminal);
}

std::string Metrics(const v1::Result& result, const Terminal& terminal) {
  Table table({{"METRIC"},
               {"VALUE", kEssential, 0, Align::kRight},
               {"95 %", 90},
               {"UNIT", 95},
               {"N", 80, 0, Align::kRight},
               {"BEST", 60, 0, Align::kRight},
               {"MEDIAN", 70, 0, Align::kRight},
               {"MEAN", 50, 0, Align::kRight},
               {"SD", 55, 0, Align::kRight},
               {"MAD", 45, 0, Align::kRight},
               {"P5", 30, 0, Align::kRight},
               {"P95", 40, 0, Align::kRight},
               {"P99", 35, 0, Align::kRight}});
  const auto number = [](bool has, double value) { return has ? FormatNumber(value) : std::string(); };
  for (const v1::Metric& metric : result.metrics()) {
    const ValueText value =
        FormatValue(metric.value(), metric.has_ci_low() ? std::optional<double>(metric.ci_low()) : std::nullopt,
                    metric.has_ci_high() ? std::optional<double>(metric.ci_high()) : std::nullopt);
    const Style style = metric.name() == result.primary_metric() ? Style::kBold : Style::kPlain;
    const bool is_bytes = metric.unit() == "B";
    table.AddRow({{metric.name(), style},
                  {is_bytes ? FormatBytes(metric.value()) : value.value, style},
                  {value.interval, style},
                  is_bytes ? "" : metric.unit(),
                  metric.has_n() ? std::to_string(metric.n()) : "",
                  number(metric.has_best(), metric.best()),
                  number(metric.has_median(), metric.median()),
                  number(metric.has_mean(), metric.mean()),
                  number(metric.has_sd(), metric.sd()),
                  number(metric.has_mad(), metric.mad()),
                  number(metric.has_p5(), metric.p5()),
                  number(metric.has_p95(), metric.p95()),
                  number(metric.has_p99(), metric.p99())});
  }
  return table.empty() ? "" : table.Render(terminal);
}

std::string Epochs(const v1::Result& result, const Terminal& terminal) {
  Table table({{"EPOCH", kEssential, 0, Align::kRight},
               {"TIME", kEssential, 0, Align::kRight},
               {"LOSS", 90, 0, Align::kRight},
               {"ACCURACY", 80, 0, Align::kRight},
               {"VAL_LOSS", 85, 0, Align::kRight},
               {"VAL_ACCURACY", 95, 0, Align::kRight}});
  const auto number = [](bool has, double value) { return has ? FormatNumber(value) : std::string(); };
  for (const v1::TrainingEpoch& epoch : result.training_epochs()) {
    table.AddRow({std::to_string(epoch.epoch()), FormatSeconds(epoch.epoch_s()), number(epoch.has_loss(), epoch.loss()),
                  number(epoch.has_accuracy(), epoch.accuracy()), number(epoch.has_val_loss(), epoch.val_loss()),
                  number(epoch.has_val_accuracy(), epoch.val_accuracy())});
  }
  return table.empty() ? "" : table.Render(terminal);
}

std::string Method(const v1::WorkerResult& summary, const Terminal& terminal) {
  Facts facts;
  facts.Add("measured", std::to_string(summary.steps()) + " steps in " + FormatDuration(summary.measured_s()) +
                            ", after " + std::to_string(summary.warmup_steps()) + " steps of warm-up");
  facts.Add("parameters", JoinParameters(summary.parameters()));
  facts.Add("data", JoinParameters(summary.data()));
  for (const std::string& note : summary.notes()) facts.Add("note", note);
  return facts.Render(terminal);
}

std::string EnvironmentFacts(const v1::Environment& environment, const Terminal& terminal) {
  Facts facts;
  facts.Add("host", environment.host());
  facts.Add("device", environment.device().model() + " (" + environment.device().name() + ")");
  facts.Add("GPU driver", environment.gpu_driver());
  facts.Add("CPU", environment.cpu_model() + ", " + std::to_string(environment.cpu_count()) + " CPUs" +
                       (environment.cpu_governor().empty() ? "" : ", governor " + environment.cpu_governor()));
  facts.Add("memory", FormatBytes(environment.memory_bytes()));
  facts.Add("OS", environment.os() + (environment.kernel().empty() ? "" : ", kernel " + environment.kernel()));
  facts.Add("runtime", environment.runtime() + " " + environment.runtime_version());
  facts.Add("libraries", JoinParameters(environment.versions()));
  facts.Add("settings", std::to_string(environment.threads()) + " threads, allocator " + environment.allocator() +
                            ", " + environment.memory_format() + ", " + environment.dtype());
  facts.Add("built", environment.fleetmark_version() + " (" + environment.git_revision() + "), " +
                         environment.build_type() + ", " + environment.compiler());
  return facts.Render(terminal);
}

std::string UsageFacts(const v1::ProcessUsage& usage, const Terminal& terminal) {
  Facts facts;
  facts.Add("time", FormatDuration(usage.wall_s()) + " wall, " + FormatDuration(usage.user_s()) + " user, " +
                        FormatDuration(usage.system_s()) + " system");
  facts.Add("peak memory", FormatBytes(usage.rss_peak_bytes()));
  facts.Add("load average", (usage.has_load1_before() ? FormatFixed(usage.load1_before(), 2) : "unavailable") +
                                std::string(" before, ") +
                                (usage.has_load1_after() ? FormatFixed(usage.load1_after(), 2) : "unavailable") +
                                " after");
  return facts.Render(terminal);
}

std::string Attempts(const v1::RunInfo& run, const Terminal& terminal) {
  Table table({{"#"},
               {"ON", 90, 6},
               {"STATE", 80},
               {"OUTCOME", 95},
               {"STARTED", 60},
               {"TOOK", 70, 0, Align::kRight},
               {"EXIT", 75},
               {"WHY", 85, 12},
               {"CONFLICTS", 50}});
  for (const v1::AttemptInfo& attempt : run.attempts()) {
    const bool has_run = attempt.started_unix_s() > 0 && attempt.finished_unix_s() >= attempt.started_unix_s();
    const std::string exit = !attempt.signal().empty()            ? attempt.signal()
                             : has_run && attempt.exit_code() > 0 ? std::to_string(attempt.exit_code())
                                                                  : "";
    table.AddRow({std::to_string(attempt.number()),
                  attempt.agent(),
                  attempt.state(),
                  {attempt.outcome(), StyleOfState(attempt.outcome())},
                  attempt.started_unix_s() > 0 ? FormatTime(attempt.started_unix_s()) : "",
                  has_run ? FormatDuration(attempt.finished_unix_s() - attempt.started_unix_s()) : "",
                  exit,
                  attempt.failure().message(),
                  attempt.conflicts() > 0 ? std::to_string(attempt.conflicts()) : ""});
  }
  return table.empty() ? "" : table.Render(terminal);
}

std::string FailureText(const v1::RunInfo& run) {
  if (run.failure().message().empty()) return "";
  std::string text = Printable(run.failure().message());
  if (!run.failure().kind().empty()) text += " (" + Printable(run.failure().kind()) + ")";
  text += "\n";
  if (!run.failure().hint().empty()) text += "hint: " + Printable(run.failure().hint()) + "\n";
  return text;
}

std::string StderrTail(const v1::RunInfo& run) {
  if (run.attempts().empty()) return "";
  std::string tail = PrintableLines(run.attempts(run.attempts_size() - 1).stderr_tail());
  if (!tail.empty() && tail.back() != '\n') tail += "\n";
  return tail;
}

}  // namespace

std::string RenderRunReport(const v1::RunInfo& run, const Terminal& terminal) {
  std::string text = Overview(run, terminal);
  text += Section("Failure", FailureText(run), terminal);
  if (run.state() != "succeeded") text += Section("What the worker wrote last", StderrTail(run), terminal);
  if (run.has_result()) {
    const v1::Result& result = run.result();
    text += Section("Metrics", Metrics(result, terminal), terminal);
    text += Section("Epochs", Epochs(result, terminal), terminal);
    text += Section("Method", Method(result.summary(), terminal), terminal);
    text += RenderEvidence(run, terminal);
    text += Section("Process", UsageFacts(result.usage(), terminal), terminal);
    text += Section("Environment", EnvironmentFacts(result.environment(), terminal), terminal);
  }
  return text + Section("Attempts", Attempts(run, terminal), terminal);
}

}  // namespace fleetmark
