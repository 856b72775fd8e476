#include "coordinator/cli/render/run_table.h"

#include <map>

#include "common/ids.h"
#include "common/time_text.h"
#include "coordinator/cli/exit_code.h"
#include "coordinator/cli/render/number.h"
#include "coordinator/cli/render/table.h"
#include "coordinator/cli/render/text.h"

namespace fleetmark {
namespace {

std::string ResultOrReason(const v1::RunInfo& run) {
  if (const std::string primary = FormatPrimary(run.result()); !primary.empty()) return primary;
  if (!run.failure().message().empty()) return run.failure().message();
  return run.reason();
}

}  // namespace

std::string JoinParameters(const google::protobuf::Map<std::string, std::string>& parameters) {
  std::string text;
  for (const auto& [name, value] : std::map<std::string, std::string>(parameters.begin(), parameters.end())) {
    text += (text.empty() ? "" : " ") + name + "=" + value;
  }
  return text;
}

std::string FormatVerdict(const std::string& kind, const std::string& cause) {
  return cause.empty() ? kind : kind + " (" + cause + ")";
}

std::string RenderRuns(const RunList& runs, const Terminal& terminal, double now_unix_s) {
  Table table({{"RUN"},
               {"WORKLOAD", 90, 8},
               {"PARAMETERS", 20, 10},
               {"ON", 80, 6},
               {"DEVICE", 60},
               {"RUNTIME", 25},
               {"PROFILE", 50},
               {"STATE"},
               {"RESULT", kEssential, 22},
               {"VERDICT", 30},
               {"SUBMITTED", 40},
               {"JOB", 10}});
  for (const v1::RunInfo& run : runs) {
    const v1::Verdict& verdict = run.result().verdict();
    table.AddRow({std::string(ShortId(run.run_id())),
                  run.workload(),
                  JoinParameters(run.parameters()),
                  run.agent().empty() ? "any" : run.agent(),
                  run.device(),
                  run.runtime(),
                  run.profile(),
                  {run.state(), StyleOfState(run.state())},
                  ResultOrReason(run),
                  {FormatVerdict(verdict.kind(), verdict.cause()), StyleOfState(verdict.kind())},
                  FormatTimeBriefly(run.submitted_unix_s(), now_unix_s),
                  std::string(ShortId(run.job_id()))});
  }
  return table.Render(terminal);
}

std::string RenderOutcome(const RunList& runs, const Terminal& terminal, double now_unix_s) {
  std::string text = RenderRuns(runs, terminal, now_unix_s);
  for (const v1::RunInfo& run : runs) {
    if (run.state() == "succeeded") continue;
    const std::string why = run.failure().message().empty() ? run.reason() : run.failure().message();
    const std::string id(ShortId(run.run_id()));
    const std::string line = id + " " + run.state() + (why.empty() ? "" : ": " + Printable(why));
    // Painted after it was wrapped: the state stands in the first line.
    std::string wrapped = Wrap(line, terminal.width, 2);
    wrapped.replace(id.size() + 1, run.state().size(), Paint(run.state(), StyleOfState(run.state()), terminal));
    text += "\n" + wrapped + "\n";
    const std::string& hint = run.failure().hint();
    if (!hint.empty()) text += Wrap("hint: " + Printable(hint), terminal.width, 2) + "\n";
    text += "see: fleetmark show " + id + "\n";
  }
  return text;
}

}  // namespace fleetmark
