#include "coordinator/cli/report/report.h"

#include "common/ids.h"
#include "coordinator/cli/report/call_table.h"
#include "coordinator/cli/report/charts.h"
#include "coordinator/cli/report/published.h"
#include "coordinator/cli/report/ratio_tables.h"
#include "coordinator/cli/report/result_table.h"
#include "coordinator/cli/report/table_builder.h"

namespace fleetmark {
namespace {

v1::ReportSection* AddSection(const std::string& title, int level, v1::ReportDocument* document) {
  v1::ReportSection* section = document->add_sections();
  section->set_title(title);
  section->set_level(level);
  return section;
}

// "it_per_s in it/s, more is better. Board: n=12288 variant=torchscript."
std::string About(const ReportBoard& board) {
  if (board.workload.metrics().empty()) return "Published numbers only: no agent has offered this workload yet.";
  const v1::MetricSpec& metric = board.workload.metrics(0);
  std::string text = metric.name();
  if (!metric.unit().empty()) text += " in " + metric.unit();
  if (!metric.better().empty()) text += ", " + metric.better() + " is better";
  text += board.key.empty() ? "." : ". Board: " + board.key + ".";
  return text;
}

void AddBoard(const ReportBoard& board, v1::ReportDocument* document) {
  const std::string version = board.workload.version() > 0 ? " v" + std::to_string(board.workload.version()) : "";
  v1::ReportSection* section = AddSection(board.workload.name() + version, 1, document);
  AddParagraph(About(board), section);
  if (board.series.empty()) {
    AddParagraph("No results yet; measure: fleetmark submit " + board.workload.name() + " --on all --wait", section);
  }
  AddResults(board, section);
  AddRatios(board, section);
  AddUse(board, section);
  AddPublished(board, section);
  AddCalls(board, section);
  AddEpochs(board, section);
  for (const ReportSeries& series : board.series) {
    const v1::RunInfo& run = series.run();
    const std::string title = board.workload.name() + " on " + NameOf(series) + ", run ";
    v1::ReportSection* evidence = AddSection(title + std::string(ShortId(run.run_id())), 2, document);
    AddCharts(run.result(), run.device() != "cpu", evidence);
  }
}

}  // namespace

v1::ReportDocument ComposeReport(const std::vector<ReportBoard>& boards, double now_unix_s) {
  v1::ReportDocument document;
  document.set_title("Fleetmark report");
  document.set_made_unix_s(now_unix_s);
  for (const ReportBoard& board : boards) AddBoard(board, &document);
  if (!boards.empty()) return document;
  v1::ReportSection* section = AddSection("No results match", 1, &document);
  AddParagraph("See what there is: fleetmark runs --state succeeded", section);
  AddParagraph("Measure: fleetmark submit WORKLOAD --on all --wait", section);
  return document;
}

}  // namespace fleetmark
