#include "coordinator/cli/report/call_table.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <map>

#include "common/vocabulary.h"
#include "coordinator/cli/render/number.h"
#include "coordinator/cli/report/result_table.h"
#include "coordinator/cli/report/table_builder.h"

namespace fleetmark {
namespace {

// The published mean is over calls 3 and 4.
constexpr size_t kPublishedWarmupCalls = 2;

// Runners tell no single calls where there were more (agent/worker/workloads/cifar_resnet63.cc,
// agent/runners/measurement.py).
constexpr int kMostCallsTold = 8;

// One start of a program: the values of its calls in order, the first `warmup` of them left out of the mean.
struct Script {
  std::string kind, system, device, runtime, profile, name;
  std::vector<double> calls;
  size_t warmup = 0;
};

// In brackets: a call that does not count.
std::string CallText(const Script& script, size_t call) {
  if (call >= script.calls.size()) return "";
  const std::string text = FormatNumber(script.calls[call]);
  return call < script.warmup ? "(" + text + ")" : text;
}

std::string MeanText(const Script& script) {
  if (script.calls.size() <= script.warmup) return "none counts";
  double sum = 0;
  for (size_t i = script.warmup; i < script.calls.size(); ++i) sum += script.calls[i];
  return FormatNumber(sum / static_cast<double>(script.calls.size() - script.warmup));
}

std::vector<Script> MeasuredScripts(const ReportBoard& board, double MeasuredCall::*value) {
  std::vector<Script> scripts;
  for (const ReportSeries& series : board.series) {
    for (const v1::RunInfo& run : series.runs) {
      const std::vector<MeasuredCall> calls = CallsOf(run.result());
      if (calls.empty()) continue;
      const bool is_flagged = IsFlagged(run.result().verdict().kind());
      Script& script = scripts.emplace_back();
      script = {is_flagged ? kFlaggedRow : kMeasuredRow,
                run.agent(),
                run.device(),
                run.runtime(),
                series.profile,
                std::to_string(run.repetition()),
                {},
                static_cast<size_t>(std::max(0, run.result().summary().warmup_steps()))};
      for (const MeasuredCall& call : calls) script.calls.push_back(call.*value);
    }
  }
  return scripts;
}

std::vector<Script> PublishedScripts(const ReportBoard& board, const std::string& metric) {
  std::vector<Script> scripts;
  for (const v1::Reference& reference : board.published) {
    if (reference.metric() != metric) continue;
    std::map<int, std::map<int, double>> values;  // by script, by call
    for (const v1::PublishedCall& call : reference.calls()) values[call.script()][call.call()] = call.value();
    for (const auto& [number, calls] : values) {
      Script& script = scripts.emplace_back();
      script = {kPublishedRow,
                reference.system(),
                reference.device(),
                reference.runtime(),
                "published",
                std::to_string(number),
                {},
                kPublishedWarmupCalls};
      for (const auto& [call, value] : calls) script.calls.push_back(value);
    }
  }
  return scripts;
}

void AddCallTable(const std::string& title, const std::vector<Script>& scripts, v1::ReportSection* section) {
  size_t most = 0;
  for (const Script& script : scripts) most = std::max(most, script.calls.size());
  std::vector<Column> columns = {{"SYSTEM", kEssential, 8},
                                 {"DEVICE", 60, 8},
                                 {"RUNTIME", 50},
                                 {"PROFILE", 40, 7},
                                 {"SCRIPT", 90, 0, Align::kRight}};
  for (size_t call = 1; call <= most; ++call) {
    columns.push_back({"CALL " + std::to_string(call), kEssential, 0, Align::kRight});
  }
  columns.push_back({"MEAN", kEssential, 0, Align::kRight});
  TableBuilder table(title, columns);
  for (const Script& script : scripts) {
    std::vector<std::string> cells = {script.system, script.device, script.runtime, script.profile, script.name};
    for (size_t call = 0; call < most; ++call) cells.push_back(CallText(script, call));
    cells.push_back(MeanText(script));
    table.AddRow(script.kind, cells);
  }
  table.AppendTo(section);
}

// Which runs made too many calls for a table of them; "" where none did.
std::string WhyNotListed(const ReportBoard& board) {
  if (PrimaryMetric(board.workload) != "wall_s") return "";  // its steps are no calls
  std::string runs;
  for (const ReportSeries& series : board.series) {
    const v1::Result& result = series.run().result();
    const int64_t calls = int64_t{result.summary().warmup_steps()} + result.summary().steps();
    if (calls <= kMostCallsTold || !CallsOf(result).empty()) continue;
    runs += (runs.empty() ? "" : ", ") + NameOf(series) + " (" + std::to_string(calls) + " calls)";
  }
  if (runs.empty()) return "";
  return "Not listed call by call: " + runs + ". Runners list up to " + std::to_string(kMostCallsTold) + ".";
}

}  // namespace

std::vector<MeasuredCall> CallsOf(const v1::Result& result) {
  std::vector<MeasuredCall> calls;
  for (const std::string& note : result.summary().notes()) {
    size_t number = 0;
    MeasuredCall call;
    if (std::sscanf(note.c_str(), "call %zu: %lf s, %lf s of process time", &number, &call.wall_s, &call.process_s) !=
        3)
      continue;
    if (number != calls.size() + 1) return {};
    calls.push_back(call);
  }
  return calls;
}

void AddCalls(const ReportBoard& board, v1::ReportSection* section) {
  const int before = section->blocks_size();
  const auto add = [&](const char* title, const char* metric, double MeasuredCall::*value) {
    std::vector<Script> scripts = MeasuredScripts(board, value);
    const std::vector<Script> published = PublishedScripts(board, metric);
    scripts.insert(scripts.end(), published.begin(), published.end());
    AddCallTable(title, scripts, section);
  };
  add("Wall time of each call, s", "wall_s", &MeasuredCall::wall_s);
  add("Process time of each call over all threads, s", "process_s", &MeasuredCall::process_s);
  if (section->blocks_size() > before) {
    AddParagraph(
        "A script is one start of the program: the first call builds what the later ones use. Calls in brackets are "
        "warm-up and not in the mean.",
        section);
  }
  if (const std::string why = WhyNotListed(board); !why.empty()) AddParagraph(why, section);
}

}  // namespace fleetmark
