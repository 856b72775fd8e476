#include "tests/unit/cli/golden.h"

#include <gtest/gtest.h>

#include "coordinator/cli/render/leaderboard_text.h"
#include "coordinator/cli/render/run_csv.h"
#include "coordinator/cli/render/run_report.h"
#include "coordinator/cli/render/run_table.h"
#include "coordinator/cli/render/tune_report.h"
#include "tests/unit/cli/sample_runs.h"

namespace fleetmark {
namespace {

TEST_F(GoldenTest, Leaderboard) {
  const v1::Leaderboard board = SampleLeaderboard();
  ExpectGolden("leaderboard_piped", RenderLeaderboard(board, Terminal()));
  for (const int width : {80, 50}) {
    const std::string text = RenderLeaderboard(board, Window(width));
    ExpectGolden("leaderboard_" + std::to_string(width), text);
    ExpectFits(text, width);
  }
}

TEST_F(GoldenTest, FlaggedRowsThatAreRankedStillSayWhy) {
  v1::Leaderboard board = SampleLeaderboard();
  for (v1::LeaderboardRow& row : *board.mutable_rows()) {
    if (row.rank() == 0) row.set_rank(5);
  }
  const std::string text = RenderLeaderboard(board, Terminal());
  EXPECT_NE(text.find("! old-box (k3v8q2m0): THROTTLED, the CPU slowed itself down"), std::string::npos) << text;
  EXPECT_EQ(text.find("--include-flagged"), std::string::npos) << "they are: " << text;
}

TEST_F(GoldenTest, TimesThatWereAllTheSameHaveAnInterval) {
  v1::Leaderboard board = SampleLeaderboard();
  v1::LeaderboardRow& row = *board.mutable_rows(1);
  row.set_ci_low(row.value());
  row.set_ci_high(row.value());
  const std::string text = RenderLeaderboard(board, Terminal());
  EXPECT_NE(text.find(" 71.23  ± 0 "), std::string::npos) << text;
  v1::History history;
  v1::HistoryPoint& point = *history.add_points();
  point.set_value(5);
  point.set_ci_low(5);
  point.set_ci_high(5);
  const std::string moved = RenderHistory(history, Terminal(), kSampleNow);
  EXPECT_NE(moved.find("± 0"), std::string::npos) << moved;
}

TEST_F(GoldenTest, AMeasuredRowWithoutAnIntervalIsSaidToCountAsExact) {
  const std::string note = "\nno interval: a measured row without one counts as exact in ranks\n";
  v1::Leaderboard board = SampleLeaderboard();
  EXPECT_EQ(RenderLeaderboard(board, Terminal()).find(note), std::string::npos) << "each has one";
  v1::LeaderboardRow& row = *board.mutable_rows(1);
  row.clear_ci_low();
  row.clear_ci_high();
  EXPECT_NE(RenderLeaderboard(board, Terminal()).find(note), std::string::npos);
  row.set_rank(0);
  EXPECT_EQ(RenderLeaderboard(board, Terminal()).find(note), std::string::npos) << "it has no rank";
}

TEST_F(GoldenTest, EmptyLeaderboardSaysWhatToDo) {
  v1::Leaderboard board = SampleLeaderboard();
  board.clear_rows();
  board.clear_other_boards();
  ExpectGolden("leaderboard_empty", RenderLeaderboard(board, Window(80)));
}

TEST_F(GoldenTest, RunReport) {
  for (const int width : {0, 80, 50}) {
    const Terminal terminal = width == 0 ? Terminal() : Window(width);
    const std::string name = width == 0 ? "piped" : std::to_string(width);
    const std::string text = RenderRunReport(SampleSuccess("k3v8q2m0"), terminal);
    ExpectGolden("show_" + name, text);
    if (width > 0) ExpectFits(text, width);
  }
  ExpectGolden("show_failed", RenderRunReport(SampleFailure("f7v8q2m0"), Window(80)));
}

TEST_F(GoldenTest, ThrottledRunReport) {
  const std::string text = RenderRunReport(SampleThrottled("k3v8q2m0"), Window(80));
  ExpectGolden("show_throttled", text);
  ExpectFits(text, 80);
}

TEST_F(GoldenTest, Runs) {
  RunList runs;
  *runs.Add() = SampleSuccess("k3v8q2m0");
  *runs.Add() = SampleFailure("f7v8q2m0");
  *runs.Add() = SampleRun("w7v8q2m0", "queued");
  runs.Mutable(2)->set_reason("waits for agent lab-3, offline since 14:02; 2nd in the queue");
  ExpectGolden("outcome_piped", RenderOutcome(runs, Terminal(), kSampleNow));
  for (const int width : {80, 50}) {
    const std::string text = RenderRuns(runs, Window(width), kSampleNow);
    ExpectGolden("runs_" + std::to_string(width), text);
    ExpectFits(text, width);
  }
}

TEST_F(GoldenTest, History) {
  v1::History history;
  history.set_workload("mnist_cnn");
  history.set_metric("samples_per_s");
  history.set_unit("samples/s");
  history.set_better("more");
  for (const double value : {2718.0, 2760.0, 2400.0}) {
    v1::HistoryPoint& point = *history.add_points();
    point.set_run_id("k3v8q2m0x7d1f5t9h4b6");
    point.set_agent("lab-3");
    point.set_device("cpu");
    point.set_runtime("libtorch");
    point.set_runtime_version("2.13.0");
    point.set_profile("tuned");
    point.set_finished_unix_s(kSampleNow - 86400 * 3 + value);
    point.set_value(value);
    if (value != 2718) point.set_change(value / 2718 - 1);
    point.set_verdict("UNCHECKED");
  }
  history.mutable_points(2)->set_verdict("THROTTLED");
  history.mutable_points(2)->set_verdict_cause("heat");
  const std::string text = RenderHistory(history, Window(80), kSampleNow);
  ExpectGolden("history_80", text);
  ExpectFits(text, 80);
}

TEST_F(GoldenTest, TunedProfiles) {
  v1::ListProfilesResponse list;
  *list.add_profiles() = SampleProfile();
  *list.add_profiles() = SampleProfile();
  list.mutable_profiles(1)->set_agent("lab-4");
  list.mutable_profiles(1)->clear_settings();
  for (const int width : {0, 80}) {
    const Terminal terminal = width == 0 ? Terminal() : Window(width);
    const std::string text = RenderProfiles(list, terminal, kSampleNow) + "\n" + RenderTried(SampleProfile(), terminal);
    ExpectGolden(width == 0 ? "tuned_piped" : "tuned_80", text);
    if (width > 0) ExpectFits(text, width);
  }
}

TEST_F(GoldenTest, Csv) {
  v1::RunInfo quoted = SampleFailure("f7v8q2m0");
  quoted.set_note("a \"quoted\", and\nbroken note");
  ExpectGolden("export_csv", CsvHeader() + CsvRows(SampleThrottled("k3v8q2m0")) + CsvRows(quoted));
}

}  // namespace
}  // namespace fleetmark
