#include "agent/worker_report.h"

#include <string.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstring>

#include "agent/run_telemetry.h"
#include "common/build_info.h"
#include "common/run_evidence.h"
#include "common/verdict.h"
#include "common/worker_protocol.h"

namespace fleetmark::agent {
namespace {

constexpr size_t kTailBytes = 4096;

void SetFailure(v1::AttemptReport* report, const std::string& kind, const std::string& message,
                const std::string& hint) {
  report->mutable_failure()->set_kind(kind);
  report->mutable_failure()->set_message(message);
  report->mutable_failure()->set_hint(hint);
}

std::string SignalName(int signal) {
  const char* name = sigabbrev_np(signal);
  return name == nullptr ? "signal " + std::to_string(signal) : "SIG" + std::string(name);
}

std::string PeakMemory(const WorkerObservation& observation) {
  return std::to_string(observation.exit.usage.ru_maxrss / 1024) + " MiB at its peak";
}

// SIGKILL that this agent did not send. What the kernel says about memory tells its own kills from those of a person.
void DescribeForeignKill(const WorkerObservation& observation, v1::AttemptReport* report) {
  if (observation.oom_kills > 0) {
    SetFailure(report, "out_of_memory",
               "the kernel killed the worker for want of memory; it had " + PeakMemory(observation),
               "use a smaller batch or size, or free memory on that machine");
  } else {
    const char* by = observation.oom_kills < 0 ? "by somebody, or by the kernel for want of memory, which does not say"
                                               : "by somebody on that machine, not for want of memory";
    SetFailure(report, "crash",
               std::string("the worker was killed with SIGKILL ") + by + "; it had " + PeakMemory(observation),
               "ask who did, and submit it again");
  }
}

void DescribeSignal(const WorkerObservation& observation, v1::AttemptReport* report) {
  const int signal = WTERMSIG(observation.exit.wait_status);
  report->set_signal(SignalName(signal));
  if (signal == SIGKILL && !observation.was_signalled) {
    DescribeForeignKill(observation, report);
  } else {
    SetFailure(report, "crash", "the worker crashed with " + report->signal() + "; it had " + PeakMemory(observation),
               "see what it printed with `fleetmark logs`");
  }
}

void DescribeExit(const WorkerObservation& observation, const EventCollector& events, v1::AttemptReport* report) {
  const int code = WEXITSTATUS(observation.exit.wait_status);
  report->set_exit_code(code);
  const std::string code_kind(FailureOfExitCode(code));
  if (events.error() && (code == 0 || !code_kind.empty())) {
    *report->mutable_failure() = *events.error();
    if (report->failure().kind().empty()) report->mutable_failure()->set_kind("internal");
    if (report->failure().message().empty())
      report->mutable_failure()->set_message("the runner failed and did not say why");
  } else if (!code_kind.empty()) {
    SetFailure(report, code_kind, "the worker failed without a word about why (exit code " + std::to_string(code) + ")",
               "see what it printed with `fleetmark logs`");
  } else if (code != 0) {
    SetFailure(report, "crash",
               "the worker ended with exit code " + std::to_string(code) + "; it had " + PeakMemory(observation),
               "see what it printed with `fleetmark logs`");
  } else if (!events.result().has_summary()) {
    SetFailure(report, "protocol",
               events.has_events() ? "the runner ended without a result" : "the runner ended without sending any event",
               "a runner writes its events to the descriptor that FLEETMARK_EVENT_FD names");
  }
}

void AddMetric(v1::Result* result, const std::string& name, const std::string& unit, double value) {
  if (FindMetric(*result, name) != nullptr) return;
  v1::Metric* metric = result->add_metrics();
  metric->set_name(name);
  metric->set_unit(unit);
  metric->set_value(value);
}

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

void SetUsage(const WorkerObservation& observation, v1::ProcessUsage* usage) {
  usage->set_wall_s(observation.wall_s);
  usage->set_user_s(Seconds(observation.exit.usage.ru_utime));
  usage->set_system_s(Seconds(observation.exit.usage.ru_stime));
  usage->set_rss_peak_bytes(static_cast<double>(observation.exit.usage.ru_maxrss) * 1024);
  usage->set_spawn_to_main_s(observation.spawn_to_main_s);
  if (observation.load1_before >= 0) usage->set_load1_before(observation.load1_before);
  if (observation.load1_after >= 0) usage->set_load1_after(observation.load1_after);
}

void SetIfEmpty(std::string* field, const std::string& value) {
  if (field->empty()) *field = value;
}

void CompleteEnvironment(const HostInfo& host, const std::string& device, v1::Environment* environment) {
  SetIfEmpty(environment->mutable_device()->mutable_name(), device);
  SetIfEmpty(environment->mutable_device()->mutable_kind(), device.substr(0, device.find(':')));
  SetIfEmpty(environment->mutable_host(), host.hostname);
  SetIfEmpty(environment->mutable_os(), host.os);
  SetIfEmpty(environment->mutable_kernel(), host.kernel);
  SetIfEmpty(environment->mutable_cpu_model(), host.cpu_model);
  SetIfEmpty(environment->mutable_cpu_governor(), host.cpu_governor);
  if (environment->cpu_count() == 0) environment->set_cpu_count(host.cpu_count);
  if (environment->memory_bytes() == 0) environment->set_memory_bytes(host.memory_bytes);
  SetIfEmpty(environment->mutable_fleetmark_version(), std::string(GetBuildInfo().version));
}

v1::Result CompleteResult(const WorkerObservation& observation, const EventCollector& events) {
  v1::Result result = events.result();
  SetUsage(observation, result.mutable_usage());
  const v1::ProcessUsage& usage = result.usage();
  AddMetric(&result, "wall_s", "s", usage.wall_s());
  AddMetric(&result, "process_s", "s", usage.user_s() + usage.system_s());
  AddMetric(&result, "rss_peak_bytes", "B", usage.rss_peak_bytes());
  if (usage.has_load1_after()) AddMetric(&result, "load1", "", usage.load1_after());
  if (observation.telemetry) {
    *result.mutable_telemetry() = *observation.telemetry;
    if (observation.alternating) TellSamplingCost(*observation.alternating, &result);
    for (const v1::Metric& metric : TelemetryMetrics(result.telemetry())) {
      AddMetric(&result, metric.name(), metric.unit(), metric.value());
    }
  }
  CompleteEnvironment(observation.host, observation.device, result.mutable_environment());
  *result.mutable_steadiness() = SteadinessOf(result);
  *result.mutable_verdict() = Judge(result);
  return result;
}

// Length of the UTF-8 sequence that starts at `index`; 0 when none does.
size_t SequenceLength(const std::string& text, size_t index) {
  const auto lead = static_cast<unsigned char>(text[index]);
  const size_t length = lead < 0x80                   ? 1
                        : lead >= 0xc2 && lead < 0xe0 ? 2
                        : (lead & 0xf0) == 0xe0       ? 3
                        : lead >= 0xf0 && lead < 0xf5 ? 4
                                                      : 0;
  if (length == 0 || index + length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[index + i]) & 0xc0) != 0x80) return 0;
  }
  if (length < 3) return length;
  const auto second = static_cast<unsigned char>(text[index + 1]);
  const bool is_overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
  const bool is_no_character = (lead == 0xed && second >= 0xa0) || (lead == 0xf4 && second >= 0x90);
  return is_overlong || is_no_character ? 0 : length;
}

}  // namespace

std::string ValidUtf8(std::string text) {
  for (size_t index = 0; index < text.size();) {
    const size_t length = SequenceLength(text, index);
    if (length == 0) text[index] = '?';
    index += std::max<size_t>(length, 1);
  }
  return text;
}

v1::AttemptReport DraftReport(const WorkerObservation& observation, const EventCollector& events, const RunLog& log) {
  v1::AttemptReport report;
  report.set_outcome("failed");
  report.set_stderr_tail(ValidUtf8(log.Tail(kTailBytes)));
  report.set_log_bytes(static_cast<double>(log.file_bytes()));
  if (observation.exit.exec_errno != 0) {
    SetFailure(&report, "spawn_failed",
               std::string("the runner cannot be executed: ") + std::strerror(observation.exit.exec_errno),
               "check --runner on that agent");
    report.set_retryable(true);
    return report;
  }
  if (WIFSIGNALED(observation.exit.wait_status)) {
    DescribeSignal(observation, &report);
  } else {
    DescribeExit(observation, events, &report);
  }
  if (!events.breach().empty()) {
    SetFailure(&report, "protocol", ValidUtf8(events.breach()),
               "a runner writes one JSON event a line, and nothing else, to its event descriptor");
  }
  if (report.has_failure()) return report;
  report.set_outcome("succeeded");
  *report.mutable_result() = CompleteResult(observation, events);
  return report;
}

}  // namespace fleetmark::agent
