#include "coordinator/cli/render/progress_line.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "common/time_text.h"
#include "common/vocabulary.h"
#include "coordinator/cli/exit_code.h"
#include "coordinator/cli/render/number.h"
#include "coordinator/cli/render/text.h"

namespace fleetmark {
namespace {

constexpr int kStateWidth = 9;
constexpr int kLeastBar = 8;
constexpr int kMostBar = 30;
// The share of the window that labels may take.
constexpr double kLabelShare = 0.45;

std::string Pad(const std::string& text, int width) {
  return text + std::string(static_cast<size_t>(std::max(0, width - DisplayWidth(text))), ' ');
}

std::string Head(const std::string& label, int label_width, const std::string& state, const Terminal& terminal) {
  const int most = terminal.width == 0 ? label_width : static_cast<int>(terminal.width * kLabelShare);
  const int width = std::min(label_width, most);
  return Pad(Shorten(label, width), width) + std::string(kColumnGap, ' ') + Pad(state, kStateWidth);
}

std::string Percent(const v1::Progress& progress) {
  return std::to_string(static_cast<int>(std::floor(100 * std::min(1.0, progress.done() / progress.total())))) + " %";
}

std::string Bar(double share, int width) {
  const int full = static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * width));
  std::string bar;
  for (int i = 0; i < width; ++i) bar += i < full ? "█" : "░";
  return bar;
}

// What stands behind the bar, the least needed last.
std::vector<std::string> Figures(const v1::Progress& progress) {
  std::vector<std::string> figures;
  if (progress.total() > 0) figures.push_back(Percent(progress));
  if (progress.has_eta_s()) figures.push_back("ETA " + FormatDuration(progress.eta_s()));
  if (progress.has_rate()) figures.push_back(FormatNumber(progress.rate()) + " " + progress.rate_unit());
  if (progress.total() <= 0 && progress.done() > 0) figures.push_back(FormatNumber(progress.done()) + " steps");
  return figures;
}

std::string Took(const v1::RunInfo& run) {
  if (run.started_unix_s() <= 0 || run.finished_unix_s() < run.started_unix_s()) return "";
  return "(" + FormatDuration(run.finished_unix_s() - run.started_unix_s()) + ")";
}

}  // namespace

std::string RunLabel(const v1::RunInfo& run) {
  std::string label = run.agent().empty() ? "any" : run.agent();
  if (!run.device().empty()) label += " " + run.device();
  label += " " + run.workload();
  if (!run.profile().empty() && run.profile() != kStockProfile) label += " " + run.profile();
  if (run.repetition() > 1) label += " #" + std::to_string(run.repetition());
  return Printable(label);
}

std::string ActiveLine(const v1::RunUpdate& update, int label_width, const Terminal& terminal) {
  const v1::RunInfo& run = update.run();
  const int width = terminal.width == 0 ? 1000 : terminal.width;
  if (run.state() != "running" || !update.has_progress()) {
    const std::string head = Head(RunLabel(run), label_width, run.state(), terminal);
    return Shorten(head + "  " + Printable(run.reason()), width);
  }
  const v1::Progress& progress = update.progress();
  std::string line = Head(RunLabel(run), label_width, Printable(progress.phase()), terminal);
  std::string figures;
  int left = width - DisplayWidth(line);
  for (const std::string& figure : Figures(progress)) {
    if (DisplayWidth(figure) + kColumnGap > left) break;
    figures += "  " + figure;
    left -= DisplayWidth(figure) + kColumnGap;
  }
  if (progress.total() > 0 && left >= kLeastBar + kColumnGap) {
    line += "  " + Paint(Bar(progress.done() / progress.total(), std::min(kMostBar, left - kColumnGap)), Style::kGood,
                         terminal);
  }
  return line + figures;
}

std::string EndedLine(const v1::RunInfo& run, int label_width, const Terminal& terminal) {
  const std::string plain_head = Head(RunLabel(run), label_width, run.state(), terminal);
  const std::string primary = FormatPrimary(run.result());
  const std::string why = run.failure().message().empty() ? run.reason() : run.failure().message();
  const std::string took = Took(run);
  std::string tail = Printable(run.state() == "succeeded" ? primary : why);
  if (!took.empty()) tail += (tail.empty() ? "" : " ") + took;
  if (terminal.width > 0) tail = Shorten(tail, terminal.width - DisplayWidth(plain_head) - kColumnGap);
  // Painted after it was measured: escape codes take no columns.
  const size_t state_at = plain_head.rfind(run.state());
  std::string head = plain_head;
  head.replace(state_at, run.state().size(), Paint(run.state(), StyleOfState(run.state()), terminal));
  return tail.empty() ? head : head + "  " + tail;
}

std::string ProgressWords(const v1::Progress& progress) {
  std::string words = Printable(progress.phase());
  std::string separator = " ";
  for (const std::string& figure : Figures(progress)) {
    words += separator + figure;
    separator = ", ";
  }
  return words;
}

}  // namespace fleetmark
