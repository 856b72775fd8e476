#include "coordinator/cli/render/run_csv.h"

#include <array>
#include <charconv>
#include <cmath>
#include <vector>

#include "coordinator/cli/render/run_table.h"

namespace fleetmark {
namespace {

using Fields = std::vector<std::string>;

std::string Number(double value) {
  if (std::isnan(value)) return "nan";
  std::array<char, 32> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return std::string(buffer.data(), end);
}

std::string Optional(bool has, double value) { return has ? Number(value) : ""; }

std::string Quoted(const std::string& field) {
  if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
  std::string out = "\"";
  for (const char c : field) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

std::string Line(const Fields& fields) {
  std::string line;
  for (const std::string& field : fields) line += (&field == &fields.front() ? "" : ",") + Quoted(field);
  return line + "\n";
}

Fields RunFields(const v1::RunInfo& run) {
  const v1::Environment& environment = run.result().environment();
  const v1::Verdict& verdict = run.result().verdict();
  return {run.run_id(),
          run.job_id(),
          std::to_string(run.repetition()),
          run.workload(),
          std::to_string(run.workload_version()),
          JoinParameters(run.parameters()),
          run.runtime(),
          environment.runtime_version(),
          run.profile(),
          run.agent(),
          environment.host(),
          run.device(),
          environment.device().model(),
          run.state(),
          verdict.kind(),
          verdict.cause(),
          verdict.evidence().empty() ? "" : verdict.evidence(0),
          Number(run.submitted_unix_s()),
          Number(run.started_unix_s()),
          Number(run.finished_unix_s()),
          run.failure().kind(),
          run.failure().message(),
          run.note()};
}

Fields MetricFields(const v1::Metric& metric, bool is_primary) {
  return {metric.name(),
          is_primary ? "true" : "false",
          metric.unit(),
          Number(metric.value()),
          metric.has_n() ? std::to_string(metric.n()) : "",
          Optional(metric.has_best(), metric.best()),
          Optional(metric.has_median(), metric.median()),
          Optional(metric.has_mean(), metric.mean()),
          Optional(metric.has_sd(), metric.sd()),
          Optional(metric.has_mad(), metric.mad()),
          Optional(metric.has_p5(), metric.p5()),
          Optional(metric.has_p95(), metric.p95()),
          Optional(metric.has_p99(), metric.p99()),
          Optional(metric.has_ci_low(), metric.ci_low()),
          Optional(metric.has_ci_high(), metric.ci_high())};
}

const Fields kRunColumns = {"run_id",
                            "job_id",
                            "repetition",
                            "workload",
                            "workload_version",
                            "parameters",
                            "runtime",
                            "runtime_version",
                            "profile",
                            "agent",
                            "host",
                            "device",
                            "device_model",
                            "state",
                            "verdict",
                            "verdict_cause",
                            "verdict_reason",
                            "submitted_unix_s",
                            "started_unix_s",
                            "finished_unix_s",
                            "failure_kind",
                            "failure",
                            "note"};
const Fields kMetricColumns = {"metric", "primary", "unit", "value", "n",   "best",   "median", "mean",
                               "sd",     "mad",     "p5",   "p95",   "p99", "ci_low", "ci_high"};

std::string Joined(Fields fields, const Fields& more) {
  fields.insert(fields.end(), more.begin(), more.end());
  return Line(fields);
}

}  // namespace

std::string CsvHeader() { return Joined(kRunColumns, kMetricColumns); }

std::string CsvRows(const v1::RunInfo& run) {
  const Fields fields = RunFields(run);
  if (run.result().metrics().empty()) return Joined(fields, Fields(kMetricColumns.size()));
  std::string rows;
  for (const v1::Metric& metric : run.result().metrics()) {
    rows += Joined(fields, MetricFields(metric, metric.name() == run.result().primary_metric()));
  }
  return rows;
}

}  // namespace fleetmark
