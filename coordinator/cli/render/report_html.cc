#include "coordinator/cli/render/report_html.h"

#include <algorithm>

#include "common/time_text.h"
#include "coordinator/cli/render/svg_chart.h"

namespace fleetmark {
namespace {

constexpr char kPageStyle[] = R"(
:root { color-scheme: light dark; --text: #1b1b1b; --back: #fff; --soft: #5a5a5a; --rule: #d4d4d4; --warn: #a33a00; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e6e6; --back: #16181b; --soft: #a3a3a3; --rule: #3a3d42; --warn: #ffab70; }
}
body { margin: 2rem auto; padding: 0 1rem; max-width: 76rem; color: var(--text); background: var(--back);
  font: 15px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; margin-top: 2.4rem; border-bottom: 1px solid var(--rule); }
h3 { font-size: 1.02rem; margin-top: 1.8rem; }
.made, .published { color: var(--soft); } .flagged { color: var(--warn); }
.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { text-align: left; padding: .22rem .7rem; border-bottom: 1px solid var(--rule); white-space: nowrap; }
.n { text-align: right; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: 1rem 2rem; }
figure { margin: 0; } figcaption { font-weight: 600; } .caption { color: var(--soft); font-size: .9rem; margin: .2rem 0; }
@media print { body { max-width: none; font-size: 11px; } figure, tr { break-inside: avoid; } h2, h3 { break-after: avoid; }
  .scroll { overflow: visible; } td, th { white-space: normal; padding: .15rem .35rem; } }
)";

std::string Element(const std::string& name, const std::string& text) {
  return "<" + name + ">" + EscapeHtml(text) + "</" + name + ">\n";
}

std::string TableHtml(const v1::ReportTable& table) {
  std::string html = "<div class=\"scroll\"><table>\n";
  if (!table.title().empty()) html += Element("caption", table.title());
  html += "<thead><tr>";
  const auto begin = [&](const char* tag, int column) {
    return std::string("<") + tag + (table.columns(column).is_number() ? " class=\"n\">" : ">");
  };
  for (int i = 0; i < table.columns_size(); ++i) {
    html += begin("th scope=\"col\"", i) + EscapeHtml(table.columns(i).title()) + "</th>";
  }
  html += "</tr></thead>\n<tbody>\n";
  for (const v1::ReportRow& row : table.rows()) {
    html += "<tr class=\"" + EscapeHtml(row.kind()) + "\">";
    for (int i = 0; i < std::min(row.cells_size(), table.columns_size()); ++i) {
      html += begin("td", i) + EscapeHtml(row.cells(i)) + "</td>";
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string ChartHtml(const v1::ReportChart& chart) {
  const std::string svg = RenderSvg(chart);
  if (svg.empty()) return "";
  std::string html = "<figure>\n" + Element("figcaption", chart.title()) + svg;
  const auto add_caption = [&html](const std::string& text) {
    html += "<p class=\"caption\">" + EscapeHtml(text) + "</p>\n";
  };
  if (!chart.caption().empty()) add_caption(chart.caption());
  for (int i = 0; i < chart.marks_size(); ++i) add_caption(std::to_string(i + 1) + ": " + chart.marks(i).name());
  return html + "</figure>\n";
}

std::string SectionHtml(const v1::ReportSection& section) {
  std::string html = "<section>\n" + Element(section.level() > 1 ? "h3" : "h2", section.title());
  std::string charts;
  for (const v1::ReportBlock& block : section.blocks()) {
    if (block.has_chart()) {
      charts += ChartHtml(block.chart());
    } else {
      html += block.has_table() ? TableHtml(block.table()) : Element("p", block.paragraph());
    }
  }
  if (!charts.empty()) html += "<div class=\"charts\">\n" + charts + "</div>\n";
  return html + "</section>\n";
}

}  // namespace

std::string RenderReportHtml(const v1::ReportDocument& document) {
  std::string html =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n" +
      Element("title", document.title()) + "<style>" + kPageStyle + kChartStyle +
      "</style>\n</head>\n<body>\n<main>\n" + Element("h1", document.title()) + "<p class=\"made\">Made " +
      FormatTime(document.made_unix_s()) + "</p>\n";
  for (const v1::ReportSection& section : document.sections()) html += SectionHtml(section);
  return html + "</main>\n</body>\n</html>\n";
}

}  // namespace fleetmark
