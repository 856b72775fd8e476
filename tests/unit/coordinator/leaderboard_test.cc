#include "coordinator/leaderboard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace fleetmark {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

LeaderboardInput Example() {
  LeaderboardInput input;
  input.workload.set_name("tensor_add");
  input.workload.set_version(1);
  auto* n = input.workload.add_parameters();
  n->set_name("n");
  n->set_type("int");
  n->set_default_value("12288");
  n->set_defines_board(true);
  input.workload.add_parameters()->set_name("seed");
  input.metric.set_name("it_per_s");
  input.metric.set_unit("it/s");
  input.metric.set_better("more");
  return input;
}

BoardValue Measured(const std::string& agent, double value, double half_width = 0.1, int64_t job = 1) {
  BoardValue measured;
  measured.run_id = agent + "-" + std::to_string(static_cast<int>(value));
  measured.job_sequence = job;
  measured.agent = measured.agent_id = agent;
  measured.device = measured.device_kind = "cpu";
  measured.runtime = "libtorch";
  measured.profile = "stock";
  measured.value = value;
  measured.ci_low = value - half_width;
  measured.ci_high = value + half_width;
  measured.n = 100;
  measured.verdict = "UNCHECKED";
  return measured;
}

Reference Published(const std::string& system, double value) {
  Reference reference;
  reference.workload = "tensor_add";
  reference.system = system;
  reference.metric = "it_per_s";
  reference.unit = "it/s";
  reference.value = value;
  reference.source = "an article";
  return reference;
}

std::vector<std::string> Systems(const v1::Leaderboard& board) {
  std::vector<std::string> systems;
  for (const auto& row : board.rows()) systems.push_back(std::to_string(row.rank()) + " " + row.system());
  return systems;
}

TEST(Leaderboard, RanksByTheMetricAndPutsPublishedBeside) {
  LeaderboardInput input = Example();
  input.values = {Measured("slow", 20), Measured("fast", 70)};
  input.references = {Published("Server CPU", 50)};
  const v1::Leaderboard board = BuildLeaderboard(input);
  EXPECT_THAT(Systems(board), ElementsAre("1 fast", "2 Server CPU", "3 slow"));
  EXPECT_EQ(board.rows(0).source(), "measured");
  EXPECT_EQ(board.rows(0).run_id(), "fast-70");
  EXPECT_EQ(board.rows(1).source(), "published");
  EXPECT_EQ(board.rows(1).published_in(), "an article");
  EXPECT_EQ(board.parameters().at("n"), "12288");
}

TEST(Leaderboard, LessIsBetterWhereTheMetricSaysSo) {
  LeaderboardInput input = Example();
  input.metric.set_better("less");
  input.values = {Measured("slow", 20), Measured("fast", 7)};
  EXPECT_THAT(Systems(BuildLeaderboard(input)), ElementsAre("1 fast", "2 slow"));
}

TEST(Leaderboard, OverlappingIntervalsShareARank) {
  LeaderboardInput input = Example();
  input.values = {Measured("a", 70, 2), Measured("b", 68, 1), Measured("c", 66, 1), Measured("d", 10)};
  // c overlaps b and not a: the group is what overlaps its first row.
  EXPECT_THAT(Systems(BuildLeaderboard(input)), ElementsAre("1 a", "1 b", "3 c", "4 d"));
}

TEST(Leaderboard, AMeasuredRowWithoutAnIntervalCountsAsExact) {
  LeaderboardInput input = Example();
  input.values = {Measured("a", 70, 2)};
  for (const char* agent : {"b", "c"}) {
    BoardValue& exact = input.values.emplace_back(Measured(agent, agent[0] == 'b' ? 69 : 67));
    exact.ci_low.reset();
    exact.ci_high.reset();
  }
  EXPECT_THAT(Systems(BuildLeaderboard(input)), ElementsAre("1 a", "1 b", "3 c"));
}

TEST(Leaderboard, TheRowIsTheMiddleRunOfTheNewestJob) {
  LeaderboardInput input = Example();
  input.values = {Measured("a", 99, 0.1, 1), Measured("a", 50, 0.1, 2), Measured("a", 90, 0.1, 2),
                  Measured("a", 60, 0.1, 2)};
  ASSERT_THAT(Systems(BuildLeaderboard(input)), ElementsAre("1 a"));
  EXPECT_EQ(BuildLeaderboard(input).rows(0).value(), 60);
  input.values = {Measured("a", 50), Measured("a", 90)};
  EXPECT_EQ(BuildLeaderboard(input).rows(0).value(), 50) << "of two the worse one";
  input.metric.set_better("less");
  EXPECT_EQ(BuildLeaderboard(input).rows(0).value(), 90) << "of two the worse one";
  input.values = {Measured("a", 50), Measured("a", 50), Measured("a", 50)};
  for (size_t i = 0; i < 3; ++i) input.values[i].run_id = "run " + std::to_string(i);
  for (int order = 0; order < 3; ++order) {
    std::rotate(input.values.begin(), input.values.begin() + 1, input.values.end());
    EXPECT_EQ(BuildLeaderboard(input).rows(0).run_id(), "run 1") << "of equal ones always the same";
  }
}

TEST(Leaderboard, AFlaggedResultStaysVisibleWithoutARank) {
  LeaderboardInput input = Example();
  input.values = {Measured("hot", 90), Measured("cool", 70)};
  input.values[0].verdict = "THROTTLED";
  input.values[0].verdict_cause = "heat";
  input.values[0].verdict_reason = "the GPU slowed itself down";
  const v1::Leaderboard board = BuildLeaderboard(input);
  ASSERT_THAT(Systems(board), ElementsAre("1 cool", "0 hot"));
  EXPECT_EQ(board.rows(1).verdict(), "THROTTLED");
  EXPECT_EQ(board.rows(1).verdict_cause(), "heat");
  EXPECT_EQ(board.rows(1).verdict_reason(), "the GPU slowed itself down");
}

TEST(Leaderboard, FlaggedRowsAreRankedOnRequest) {
  LeaderboardInput input = Example();
  input.values = {Measured("hot", 90), Measured("cool", 70)};
  input.values[0].verdict = "THROTTLED";
  input.references = {Published("too good", 95)};
  input.references[0].verdict.set_kind("IMPLAUSIBLE");
  input.include_flagged = true;
  const v1::Leaderboard board = BuildLeaderboard(input);
  ASSERT_THAT(Systems(board), ElementsAre("1 too good", "2 hot", "3 cool"));
  EXPECT_EQ(board.rows(1).verdict(), "THROTTLED") << "still marked";
}

TEST(Leaderboard, APublishedRowHasTheVerdictOfItsEvidence) {
  LeaderboardInput input = Example();
  input.values = {Measured("a", 70)};
  input.references = {Published("too good", 95), Published("Server CPU", 50)};
  v1::Verdict& verdict = input.references[0].verdict;
  verdict.set_kind("IMPLAUSIBLE");
  verdict.set_cause("ceiling");
  verdict.add_evidence("it is more than the card can do");
  verdict.add_evidence("and something else");
  const v1::Leaderboard board = BuildLeaderboard(input);
  ASSERT_THAT(Systems(board), ElementsAre("1 a", "2 Server CPU", "0 too good"));
  EXPECT_EQ(board.rows(2).value(), 95);
  EXPECT_EQ(board.rows(2).verdict(), "IMPLAUSIBLE");
  EXPECT_EQ(board.rows(2).verdict_cause(), "ceiling");
  EXPECT_EQ(board.rows(2).verdict_reason(), "it is more than the card can do");
  EXPECT_EQ(board.rows(1).verdict(), "");
}

TEST(Leaderboard, WhatWasNotCheckedIsRanked) {
  LeaderboardInput input = Example();
  input.values = {Measured("unchecked", 90), Measured("good", 70), Measured("noisy", 80)};
  input.values[1].verdict = "OK";
  input.values[2].verdict = "NOISY";
  EXPECT_THAT(Systems(BuildLeaderboard(input)), ElementsAre("1 unchecked", "2 good", "0 noisy"));
}

TEST(Leaderboard, ProfilesAndRuntimesAreRowsOfTheirOwn) {
  LeaderboardInput input = Example();
  input.values = {Measured("a", 50), Measured("a", 60)};
  input.values[1].profile = "tuned";
  EXPECT_EQ(BuildLeaderboard(input).rows_size(), 2);
}

TEST(Leaderboard, ARunThatOverridesItsProfileIsARowOfItsOwn) {
  LeaderboardInput input = Example();
  input.values = {Measured("a", 50, 0.1, 1), Measured("a", 60, 0.1, 2)};
  input.values[1].overrides = "threads=1";
  const v1::Leaderboard board = BuildLeaderboard(input);
  ASSERT_EQ(board.rows_size(), 2);
  EXPECT_EQ(board.rows(0).overrides(), "threads=1");
  EXPECT_EQ(board.rows(1).overrides(), "");
}

TEST(Leaderboard, AnotherBoardShowsNothingPublished) {
  LeaderboardInput input = Example();
  input.parameters = {{"n", "256"}, {"seed", "4"}};
  input.values = {Measured("a", 50)};
  input.references = {Published("Server CPU", 50)};
  input.boards = {"n=12288", "n=256"};
  const v1::Leaderboard board = BuildLeaderboard(input);
  EXPECT_THAT(Systems(board), ElementsAre("1 a"));
  EXPECT_THAT(board.other_boards(), ElementsAre("n=12288"));
  EXPECT_EQ(board.parameters().size(), 1u);
}

TEST(Leaderboard, WhatWasPublishedInAnotherMetricIsShownUnranked) {
  LeaderboardInput input = Example();
  input.values = {Measured("a", 50)};
  Reference total = Published("Asus", 654);
  total.metric = "total_s";
  total.unit = "s";
  input.references = {total, Published("Server CPU", 70)};
  const v1::Leaderboard board = BuildLeaderboard(input);
  ASSERT_THAT(Systems(board), ElementsAre("1 Server CPU", "2 a", "0 Asus"));
  EXPECT_FALSE(board.rows(2).has_value());
  EXPECT_THAT(board.rows(2).note(), HasSubstr("total_s 654 s"));
}

TEST(History, SaysHowEachSeriesMoved) {
  const LeaderboardInput input = Example();
  const v1::History history =
      BuildHistory(input.workload, input.metric, {}, {Measured("a", 50), Measured("b", 10), Measured("a", 55)});
  ASSERT_EQ(history.points_size(), 3);
  EXPECT_EQ(history.points(0).change(), 0);
  EXPECT_EQ(history.points(1).change(), 0);
  EXPECT_NEAR(history.points(2).change(), 0.1, 1e-12);
}

TEST(History, SaysWhatAPointIsFlaggedFor) {
  const LeaderboardInput input = Example();
  BoardValue hot = Measured("a", 50);
  hot.verdict = "THROTTLED";
  hot.verdict_cause = "heat";
  const v1::History history = BuildHistory(input.workload, input.metric, {}, {hot});
  EXPECT_EQ(history.points(0).verdict() + " " + history.points(0).verdict_cause(), "THROTTLED heat");
}

}  // namespace
}  // namespace fleetmark
