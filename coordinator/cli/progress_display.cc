#include "coordinator/cli/progress_display.h"

#include <algorithm>

#include "common/ids.h"
#include "common/time_text.h"
#include "coordinator/cli/exit_code.h"
#include "coordinator/cli/render/progress_line.h"
#include "coordinator/cli/render/text.h"

namespace fleetmark {
namespace {

constexpr double kLineIntervalS = 10;   // between two lines about the progress of one run
constexpr double kDrawIntervalS = 0.1;  // between two drawings for progress alone
constexpr int kReservedLines = 3;       // of the window: what was there before, "and 5 more", the cursor

}  // namespace

void ProgressDisplay::Update(const v1::RunUpdate& update) {
  const std::lock_guard lock(mutex_);
  const auto [at, is_new] = entries_.try_emplace(update.run().run_id());
  Entry& entry = at->second;
  if (is_new) order_.push_back(update.run().run_id());
  const v1::RunInfo& before = entry.update.run();
  const bool is_change = is_new || before.state() != update.run().state() || before.agent() != update.run().agent() ||
                         (update.run().state() == "queued" && before.reason() != update.run().reason());
  entry.update = update;
  if (mode_ == ProgressMode::kLines) TellLine(&entry, is_change);
  if (mode_ == ProgressMode::kLive) Draw(is_change);
}

void ProgressDisplay::Note(const std::string& text) {
  const std::lock_guard lock(mutex_);
  Erase();
  console_.out() << std::flush;
  console_.err() << Printable(text) << std::endl;
  if (mode_ == ProgressMode::kLive) Draw(true);
}

void ProgressDisplay::Redraw() {
  const std::lock_guard lock(mutex_);
  if (mode_ == ProgressMode::kLive) Draw(true);
}

void ProgressDisplay::Finish() {
  const std::lock_guard lock(mutex_);
  Erase();
  console_.out() << std::flush;
}

void ProgressDisplay::TellLine(Entry* entry, bool is_change) {
  const v1::RunInfo& run = entry->update.run();
  const double now = console_.NowUnixS();
  const bool is_due = entry->update.has_progress() && now - entry->told_unix_s >= kLineIntervalS;
  if (!is_change && !is_due) return;
  std::string line = std::string(ShortId(run.run_id())) + "  ";
  if (HasEnded(run)) {
    line += EndedLine(run, 0, Terminal());
  } else if (entry->update.has_progress()) {
    line += RunLabel(run) + "  " + ProgressWords(entry->update.progress());
  } else {
    line += ActiveLine(entry->update, 0, Terminal());
  }
  entry->told_unix_s = now;
  console_.out() << line << std::endl;
}

int ProgressDisplay::LabelWidth() const {
  int width = 0;
  for (const auto& [id, entry] : entries_) width = std::max(width, DisplayWidth(RunLabel(entry.update.run())));
  return width;
}

void ProgressDisplay::Draw(bool is_urgent) {
  const double now = console_.NowUnixS();
  if (!is_urgent && now - drawn_unix_s_ < kDrawIntervalS) return;
  drawn_unix_s_ = now;
  Erase();
  const Terminal terminal = console_.terminal();
  for (const std::string& id : order_) {
    Entry& entry = entries_.at(id);
    if (entry.is_told || !HasEnded(entry.update.run())) continue;
    console_.out() << EndedLine(entry.update.run(), LabelWidth(), terminal) << "\n";
    entry.is_told = true;
  }
  for (const std::string& line : Area(terminal)) {
    console_.out() << line << "\n";
    drawn_widths_.push_back(DisplayWidth(line));
  }
  console_.out() << std::flush;
}

// The runs that have not ended, running ones first. What does not fit the window is counted in one line.
std::vector<std::string> ProgressDisplay::Area(const Terminal& terminal) const {
  const size_t most = terminal.height > kReservedLines ? static_cast<size_t>(terminal.height - kReservedLines) : 1;
  const int label_width = LabelWidth();
  std::vector<std::string> lines;
  size_t hidden = 0;
  for (const char* state : {"running", "queued"}) {
    for (const std::string& id : order_) {
      const v1::RunUpdate& update = entries_.at(id).update;
      if (update.run().state() != state) continue;
      if (lines.size() < most) {
        lines.push_back(ActiveLine(update, label_width, terminal));
      } else {
        ++hidden;
      }
    }
  }
  if (hidden > 0) lines.push_back(Shorten("and " + std::to_string(hidden) + " more", terminal.width));
  return lines;
}

// Back to the start of what was drawn and clear from there. A terminal that was made narrower has broken its lines
// anew, so they may take more rows than when they were written.
void ProgressDisplay::Erase() {
  if (drawn_widths_.empty()) return;
  const int width = std::max(1, console_.terminal().width);
  int rows = 0;
  for (const int drawn : drawn_widths_) rows += std::max(1, (drawn + width - 1) / width);
  console_.out() << "\x1b[" << rows << "A\r\x1b[J";
  drawn_widths_.clear();
}

}  // namespace fleetmark
