#include "coordinator/cli/render/report_markdown.h"

#include <cctype>
#include <vector>

#include "common/time_text.h"
#include "coordinator/cli/render/report_text.h"
#include "coordinator/cli/render/text.h"

namespace fleetmark {
namespace {

bool IsWordCharacter(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

std::string RowLine(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const std::string& cell : cells) line += " " + cell + " |";
  return line + "\n";
}

std::string TableMarkdown(const v1::ReportTable& table) {
  std::vector<std::string> titles, rules;
  for (const v1::ReportColumn& column : table.columns()) {
    titles.push_back(EscapeMarkdown(column.title()));
    rules.push_back(column.is_number() ? "---:" : "---");
  }
  std::string text = table.title().empty() ? "" : "**" + EscapeMarkdown(table.title()) + "**\n\n";
  text += RowLine(titles) + RowLine(rules);
  for (const v1::ReportRow& row : table.rows()) {
    std::vector<std::string> cells;
    for (const std::string& cell : row.cells()) cells.push_back(EscapeMarkdown(cell));
    text += RowLine(cells);
  }
  return text;
}

}  // namespace

std::string EscapeMarkdown(std::string_view text) {
  const std::string plain = Printable(text);
  std::string escaped;
  for (size_t i = 0; i < plain.size(); ++i) {
    const char c = plain[i];
    // Within a word, as in names of metrics, an underscore means itself.
    const bool is_within_word =
        i > 0 && i + 1 < plain.size() && IsWordCharacter(plain[i - 1]) && IsWordCharacter(plain[i + 1]);
    const bool begins_block = i == 0 && (c == '#' || c == '+' || c == '-' || c == '=');
    const bool is_special = std::string_view("\\`*[]<>|~&").find(c) != std::string_view::npos;
    if (is_special || begins_block || (c == '_' && !is_within_word)) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string RenderReportMarkdown(const v1::ReportDocument& document) {
  std::string text = "# " + EscapeMarkdown(document.title()) + "\n\nMade " + FormatTime(document.made_unix_s()) + ".\n";
  for (const v1::ReportSection& section : document.sections()) {
    if (!HasText(section)) continue;
    text += std::string(section.level() > 1 ? "\n### " : "\n## ") + EscapeMarkdown(section.title()) + "\n";
    for (const v1::ReportBlock& block : section.blocks()) {
      if (block.has_chart()) continue;
      text += "\n" + (block.has_table() ? TableMarkdown(block.table()) : EscapeMarkdown(block.paragraph()) + "\n");
    }
  }
  return text;
}

}  // namespace fleetmark
