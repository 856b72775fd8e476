#include "coordinator/cli/progress_display.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <vector>

#include "coordinator/cli/render/progress_line.h"
#include "coordinator/cli/render/text.h"
#include "tests/unit/cli/sample_runs.h"

namespace fleetmark {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class SettableClock : public Clock {
 public:
  Moment Now() const override { return Moment{SecondsToNanos(now_s), 0}; }
  double now_s = kSampleNow;
};

// What a terminal shows after the output so far: understands line breaks, "up" and "clear from here".
std::vector<std::string> Screen(const std::string& output) {
  std::vector<std::string> lines = {""};
  size_t row = 0;
  for (size_t at = 0; at < output.size(); ++at) {
    if (output[at] == '\n') {
      if (++row == lines.size()) lines.emplace_back();
    } else if (output[at] == '\x1b') {
      const size_t end = output.find_first_of("AJ", at);
      if (output[end] == 'A') row -= static_cast<size_t>(std::stoi(output.substr(at + 2)));
      if (output[end] == 'J') {
        lines.resize(row + 1);
        lines[row].clear();
      }
      at = end;
    } else if (output[at] != '\r') {
      lines[row] += output[at];
    }
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

class ProgressDisplayTest : public testing::Test {
 protected:
  v1::RunUpdate Measuring(const std::string& id, double done) {
    v1::RunUpdate update;
    *update.mutable_run() = SampleRun(id, "running");
    v1::Progress& progress = *update.mutable_progress();
    progress.set_phase("measure");
    progress.set_done(done);
    progress.set_total(100);
    progress.set_rate(36.2);
    progress.set_rate_unit("it/s");
    progress.set_eta_s(12);
    return update;
  }
  v1::RunUpdate Of(const v1::RunInfo& run) {
    v1::RunUpdate update;
    *update.mutable_run() = run;
    return update;
  }

  Terminal terminal_{true, 80, 24, false};
  SettableClock clock_;
  std::ostringstream out_, err_;
  Console console_{out_, err_, [this] { return terminal_; }, clock_, false};
};

TEST_F(ProgressDisplayTest, LiveRedrawsInPlaceAndLeavesWhatHasEnded) {
  ProgressDisplay display(console_, ProgressMode::kLive);
  display.Update(Of(SampleRun("a", "queued")));
  display.Update(Of(SampleRun("b", "queued")));
  display.Update(Measuring("a", 25));
  EXPECT_THAT(Screen(out_.str()), ElementsAre(AllOf(HasSubstr("measure"), HasSubstr("25 %"), HasSubstr("ETA 12 s"),
                                                    HasSubstr("36.20 it/s"), HasSubstr("█")),
                                              HasSubstr("queued")));
  display.Update(Of(SampleSuccess("a")));
  EXPECT_THAT(Screen(out_.str()), ElementsAre(HasSubstr("2718 ± 12 samples/s (30 s)"), HasSubstr("queued")));
  display.Finish();
  EXPECT_THAT(Screen(out_.str()), ElementsAre(HasSubstr("succeeded")));
}

TEST_F(ProgressDisplayTest, LiveLinesFitEveryWidth) {
  for (int width = 20; width <= 100; ++width) {
    const Terminal terminal{true, width, 24, false};
    EXPECT_LE(DisplayWidth(ActiveLine(Measuring("a", 25), 30, terminal)), width);
    EXPECT_LE(DisplayWidth(EndedLine(SampleFailure("a"), 30, terminal)), width);
  }
}

TEST_F(ProgressDisplayTest, LiveClearsLinesThatANarrowerWindowBroke) {
  ProgressDisplay display(console_, ProgressMode::kLive);
  display.Update(Measuring("a", 25));
  terminal_.width = 40;
  display.Redraw();
  EXPECT_THAT(out_.str(), HasSubstr("\x1b[2A")) << "one line of 80 columns takes two rows of 40";
}

TEST_F(ProgressDisplayTest, LiveShowsNoMoreLinesThanTheWindowHas) {
  terminal_.height = 6;
  ProgressDisplay display(console_, ProgressMode::kLive);
  for (const char* id : {"a", "b", "c", "d", "e"}) display.Update(Of(SampleRun(id, "queued")));
  EXPECT_THAT(Screen(out_.str()),
              ElementsAre(HasSubstr("queued"), HasSubstr("queued"), HasSubstr("queued"), "and 2 more"));
}

TEST_F(ProgressDisplayTest, LinesTellChangesAndProgressNowAndThenWithoutEscapeCodes) {
  terminal_ = Terminal();
  ProgressDisplay display(console_, ProgressMode::kLines);
  display.Update(Of(SampleRun("a", "queued")));
  display.Update(Measuring("a", 1));
  for (int done = 2; done < 30; ++done) {
    clock_.now_s += 0.5;
    display.Update(Measuring("a", done));
  }
  display.Update(Of(SampleSuccess("a")));
  display.Finish();
  EXPECT_THAT(out_.str(), Not(HasSubstr("\x1b")));
  EXPECT_THAT(Screen(out_.str()), ElementsAre(HasSubstr("queued"), HasSubstr("measure 1 %"), HasSubstr("measure 21 %"),
                                              HasSubstr("succeeded")));
}

TEST_F(ProgressDisplayTest, NoneSaysNothingButNotes) {
  ProgressDisplay display(console_, ProgressMode::kNone);
  display.Update(Measuring("a", 1));
  display.Note("lost the coordinator");
  display.Finish();
  EXPECT_EQ(out_.str(), "");
  EXPECT_EQ(err_.str(), "lost the coordinator\n");
}

}  // namespace
}  // namespace fleetmark
