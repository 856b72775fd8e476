#include "coordinator/cli/render/leaderboard_text.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "common/ids.h"
#include "common/time_text.h"
#include "common/vocabulary.h"
#include "coordinator/cli/render/number.h"
#include "coordinator/cli/render/run_table.h"
#include "coordinator/cli/render/table.h"
#include "coordinator/cli/render/text.h"

namespace fleetmark {
namespace {

// "tensor_add v1, it_per_s in it/s, more is better" and the parameters that define the board.
template <typename Board>
std::string Title(const Board& board, const std::string& workload, const Terminal& terminal) {
  std::string title = board.metric();
  if (!board.unit().empty()) title += " in " + board.unit();
  if (!board.better().empty()) title += ", " + board.better() + " is better";
  std::string text = Paint(workload, Style::kBold, terminal) + "  " + title + "\n";
  if (!board.parameters().empty()) text += JoinParameters(board.parameters()) + "\n";
  return text + "\n";
}

// "stock", "tuned threads=1"
template <typename Row>
std::string ProfileOf(const Row& row) {
  return row.overrides().empty() ? row.profile() : row.profile() + " " + row.overrides();
}

ValueText ValueOf(const v1::LeaderboardRow& row) {
  if (!row.has_value()) return {"-", ""};
  return FormatValue(row.value(), row.has_ci_low() ? std::optional<double>(row.ci_low()) : std::nullopt,
                     row.has_ci_high() ? std::optional<double>(row.ci_high()) : std::nullopt);
}

// "! old-box (k3v8q2m0): THROTTLED, the GPU slowed itself down ..." for each flagged row: why not to trust its number.
std::string Reasons(const v1::Leaderboard& board, const Terminal& terminal) {
  std::string text;
  for (const v1::LeaderboardRow& row : board.rows()) {
    if (!IsFlagged(row.verdict())) continue;
    std::string line = "! " + row.system();
    if (!row.run_id().empty()) line += " (" + std::string(ShortId(row.run_id())) + ")";
    line += ": " + row.verdict();
    if (!row.verdict_reason().empty()) line += ", " + row.verdict_reason();
    text += Paint(Wrap(Printable(line), terminal.width, 2), StyleOfState(row.verdict()), terminal) + "\n";
  }
  return text;
}

// How many rows share each rank.
std::map<int, int> CountRanks(const v1::Leaderboard& board) {
  std::map<int, int> rows_by_rank;
  for (const v1::LeaderboardRow& row : board.rows()) {
    if (row.rank() > 0) ++rows_by_rank[row.rank()];
  }
  return rows_by_rank;
}

// What the marks in the table mean, and what else must be known to read it rightly.
std::vector<std::string> Notes(const v1::Leaderboard& board, const std::map<int, int>& rows_by_rank) {
  std::vector<std::string> notes;
  std::set<std::string> derived, sources;
  bool has_unranked = false, has_exact = false;
  for (const v1::LeaderboardRow& row : board.rows()) {
    if (row.derived()) derived.insert(row.note().empty() ? "computed from another published number" : row.note());
    if (!row.published_in().empty()) sources.insert(row.published_in());
    has_unranked |= IsFlagged(row.verdict()) && row.rank() == 0;
    has_exact |= row.source() == "measured" && row.rank() > 0 && !(row.has_ci_low() && row.has_ci_high());
  }
  for (const std::string& note : derived) notes.push_back("* derived: " + note);
  for (const std::string& source : sources) notes.push_back("published: " + source);
  if (has_unranked) notes.push_back("! flagged rows have no rank; --include-flagged ranks them like the others");
  if (std::any_of(rows_by_rank.begin(), rows_by_rank.end(), [](const auto& rank) { return rank.second > 1; })) {
    notes.push_back("= rows whose interval overlaps that of the best of their rank share it");
  }
  if (has_exact) notes.push_back("no interval: a measured row without one counts as exact in ranks");
  std::string others;
  for (const std::string& other : board.other_boards()) others += (others.empty() ? "" : "; ") + other;
  if (!others.empty()) notes.push_back("other boards of " + board.workload() + " (--set): " + others);
  return notes;
}

std::string RankText(const v1::LeaderboardRow& row, const std::map<int, int>& rows_by_rank) {
  if (row.rank() == 0) return "-";
  return std::to_string(row.rank()) + (rows_by_rank.at(row.rank()) > 1 ? "=" : "");
}

}  // namespace

std::string RenderLeaderboard(const v1::Leaderboard& board, const Terminal& terminal) {
  Table table({{"RANK", kEssential, 0, Align::kRight},
               {"SYSTEM", kEssential, 16},
               {"DEVICE", 90, 10},
               {"KIND", 10},
               {"RUNTIME", 50},
               {"PROFILE", 70},
               {board.unit().empty() ? "VALUE" : Printable(board.unit()), kEssential, 0, Align::kRight},
               {"95 %", 85},
               {"N", 20, 0, Align::kRight},
               {"VERDICT", 75},
               {"SOURCE", 68},
               {"RUN", 40}});
  const std::map<int, int> rows_by_rank = CountRanks(board);
  for (const v1::LeaderboardRow& row : board.rows()) {
    const ValueText value = ValueOf(row);
    const bool is_ours = row.source() == "measured";
    const Style style = is_ours ? Style::kPlain : Style::kDim;
    table.AddRow({{RankText(row, rows_by_rank), style},
                  {row.system(), is_ours ? Style::kBold : style},
                  {row.device(), style},
                  {row.device_kind(), style},
                  {row.runtime(), style},
                  {ProfileOf(row), style},
                  {value.value + (row.derived() ? "*" : "") + (IsFlagged(row.verdict()) ? "!" : ""), style},
                  {value.interval, style},
                  {row.has_n() ? std::to_string(row.n()) : "", style},
                  {row.verdict(), StyleOfState(row.verdict())},
                  {row.source(), style},
                  {std::string(ShortId(row.run_id())), style}});
  }
  const std::string name = Printable(board.workload()) + " v" + std::to_string(board.workload_version());
  std::string text = Title(board, name, terminal);
  text += table.empty() ? "no results yet; measure: fleetmark submit " + board.workload() + " --on all --wait\n"
                        : table.Render(terminal);
  const std::string reasons = Reasons(board, terminal);
  const std::vector<std::string> notes = Notes(board, rows_by_rank);
  if (!reasons.empty() || !notes.empty()) text += "\n";
  text += reasons;
  for (const std::string& note : notes)
    text += Paint(Wrap(Printable(note), terminal.width, 2), Style::kDim, terminal) + "\n";
  return text;
}

std::string RenderHistory(const v1::History& history, const Terminal& terminal, double now_unix_s) {
  Table table({{"WHEN"},
               {"ON", 90, 6},
               {"DEVICE", 60, 6},
               {"RUNTIME", 30},
               {"VERSION", 35},
               {"PROFILE", 50},
               {history.unit().empty() ? "VALUE" : Printable(history.unit()), kEssential, 0, Align::kRight},
               {"95 %", 70},
               {"CHANGE", 95, 0, Align::kRight},
               {"VERDICT", 65},
               {"RUN", 80}});
  for (const v1::HistoryPoint& point : history.points()) {
    const ValueText value =
        FormatValue(point.value(), point.has_ci_low() ? std::optional<double>(point.ci_low()) : std::nullopt,
                    point.has_ci_high() ? std::optional<double>(point.ci_high()) : std::nullopt);
    const bool is_worse = history.better() == "less" ? point.change() > 0 : point.change() < 0;
    table.AddRow({FormatTimeBriefly(point.finished_unix_s(), now_unix_s),
                  point.agent(),
                  point.device(),
                  point.runtime(),
                  point.runtime_version(),
                  ProfileOf(point),
                  value.value,
                  value.interval,
                  {point.has_change() ? FormatChange(point.change()) : "", is_worse ? Style::kBad : Style::kGood},
                  {FormatVerdict(point.verdict(), point.verdict_cause()), StyleOfState(point.verdict())},
                  std::string(ShortId(point.run_id()))});
  }
  const std::string text = Title(history, Printable(history.workload()), terminal);
  return text + (table.empty() ? "no results match\n" : table.Render(terminal));
}

}  // namespace fleetmark
