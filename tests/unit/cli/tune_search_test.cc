#include "coordinator/cli/tune_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>
#include <set>

#include "tests/unit/cli/sample_workload.h"

namespace fleetmark {
namespace {

using testing::HasSubstr;

// A machine on which a search is made: how fast settings are there, and what loss they give.
struct SearchedMachine {
  std::function<double(const TuneSettings&)> speed = [](const TuneSettings&) { return 1.0; };
  std::function<double(const TuneSettings&)> loss = [](const TuneSettings&) { return 0.5; };
  std::function<std::string(const TuneSettings&)> failure = [](const TuneSettings&) { return ""; };
  int failing_seeds = 0;  // of the other ones
  bool has_loss = true;
  double noise = 0.001;
  double drift = 0;  // per run: the machine gets slower and slower
  double run_s = 1;

  std::mt19937 random{1};
  double elapsed_s = 0;
  int runs = 0;
  std::vector<std::string> first_of_round;
  bool ran_other_seeds = false;
  std::set<std::string> tried;

  TuneMeasurement Run(const TuneTrial& trial) {
    ++runs;
    ran_other_seeds |= trial.seed_offset > 0;
    elapsed_s += run_s;
    TuneMeasurement measurement;
    measurement.failure = failure(trial.settings);
    if (trial.seed_offset > 0 && trial.seed_offset <= failing_seeds) measurement.failure = "lost";
    const double wave = 1 + noise * (2 * static_cast<double>(random()) / static_cast<double>(std::mt19937::max()) - 1);
    measurement.speed = speed(trial.settings) * wave * std::pow(1 - drift, runs);
    measurement.value = measurement.speed;
    if (has_loss && measurement.failure.empty()) measurement.loss = loss(trial.settings) + 0.01 * trial.seed_offset;
    return measurement;
  }

  // Returns the search as it ended.
  TuneSearch Search(const TuneSpace& space, double budget_s = 1000) {
    TuneSearch search(space, run_s);
    for (;;) {
      const std::vector<TuneTrial> trials = search.NextRound(budget_s - elapsed_s);
      if (trials.empty()) return search;
      first_of_round.push_back(space.NameOf(trials.front().settings));
      std::vector<TuneMeasurement> measurements;
      for (const TuneTrial& trial : trials) {
        tried.insert(space.NameOf(trial.settings));
        measurements.push_back(Run(trial));
      }
      const Status status = search.Take(measurements, run_s * static_cast<double>(trials.size()));
      EXPECT_TRUE(status.ok()) << status.message();
      if (!status.ok()) return search;
    }
  }
};

std::string Kept(const TuneSearch& search) { return search.table().name(search.Conclude().kept); }

v1::TunedCandidate RowOf(const TuneSearch& search, const std::string& name) {
  for (const v1::TunedCandidate& row : search.table().Rows(search.Conclude().kept)) {
    if (row.name() == name) return row;
  }
  ADD_FAILURE() << "no candidate " << name;
  return {};
}

TEST(TuneSearch, FindsWhatIsFastestInSeveralParametersTogether) {
  SearchedMachine machine;
  machine.speed = [](const TuneSettings& settings) {
    return (settings.at("threads") == "2" ? 1.2 : 1.0) * (settings.at("format") == "nhwc" ? 1.1 : 1.0);
  };
  const TuneSearch search = machine.Search(SampleSpace());
  EXPECT_EQ(Kept(search), "format=nhwc threads=2");
  const TuneSearch::Outcome outcome = search.Conclude();
  EXPECT_TRUE(outcome.is_own);
  EXPECT_NEAR(outcome.gain, 1.32, 0.02);
  EXPECT_EQ(RowOf(search, "format=nhwc threads=2").verdict(), "kept");
  EXPECT_EQ(RowOf(search, "threads=2").verdict(), "faster");
  EXPECT_EQ(RowOf(search, "tuned").verdict(), "baseline");
}

TEST(TuneSearch, WhatGoesOnlyTogetherWithAnotherIsFoundStepByStep) {
  SearchedMachine machine;
  machine.speed = [](const TuneSettings& settings) {
    const bool is_nhwc = settings.at("format") == "nhwc", is_one = settings.at("threads") == "1";
    return is_nhwc && is_one ? 0.5 : is_nhwc ? 1.3 : is_one ? 1.2 : 1.0;  // together they are slower than either
  };
  EXPECT_EQ(Kept(machine.Search(SampleSpace())), "format=nhwc");
}

TEST(TuneSearch, NoiseIsNoGain) {
  int found = 0;
  for (uint32_t seed = 1; seed <= 100; ++seed) {
    SearchedMachine machine;
    machine.noise = 0.2;
    machine.random.seed(seed);
    if (machine.Search(SampleSpace()).Conclude().is_own) ++found;
  }
  EXPECT_LE(found, 7) << "2.5 of 100 are what a 95 % interval promises";
}

TEST(TuneSearch, DriftHitsAllAlike) {
  SearchedMachine machine;
  machine.drift = 0.005;
  machine.speed = [](const TuneSettings& settings) { return settings.at("threads") == "2" ? 1.15 : 1.0; };
  const TuneSearch search = machine.Search(SampleSpace());
  EXPECT_EQ(Kept(search), "threads=2");
  EXPECT_NEAR(search.Conclude().gain, 1.15, 0.01);
  ASSERT_GE(machine.first_of_round.size(), 2u);
  EXPECT_NE(machine.first_of_round[0], machine.first_of_round[1]) << "each round begins with another one";
  SearchedMachine still;
  still.drift = 0.005;
  EXPECT_FALSE(still.Search(SampleSpace()).Conclude().is_own);
}

TEST(TuneSearch, AnotherLossIsExcludedHoweverFast) {
  SearchedMachine machine;
  machine.speed = [](const TuneSettings& settings) {
    return settings.at("format") == "nhwc" ? 3.0 : settings.at("threads") == "2" ? 1.2 : 1.0;
  };
  machine.loss = [](const TuneSettings& settings) { return settings.at("format") == "nhwc" ? 0.9 : 0.5; };
  const TuneSearch search = machine.Search(SampleSpace());
  EXPECT_EQ(Kept(search), "threads=2");
  const v1::TunedCandidate row = RowOf(search, "format=nhwc");
  EXPECT_EQ(row.verdict(), "excluded");
  EXPECT_EQ(row.loss_check(), "differs");
  EXPECT_THAT(row.why(), HasSubstr("its loss is 0.9, stock's 0.5 (0.5 to 0.53 over 4 seeds)"));
  EXPECT_THAT(search.table().Rows(0).back().name(), HasSubstr("format=nhwc")) << "excluded ones stand last";
}

TEST(TuneSearch, AnotherRandomStreamIsWithinTheSpreadOfStocksSeeds) {
  SearchedMachine machine;
  machine.speed = [](const TuneSettings& settings) { return settings.at("format") == "nhwc" ? 1.5 : 1.0; };
  machine.loss = [](const TuneSettings& settings) { return settings.at("format") == "nhwc" ? 0.54 : 0.5; };
  const TuneSearch search = machine.Search(SampleSpace());
  EXPECT_EQ(Kept(search), "format=nhwc");
  EXPECT_EQ(RowOf(search, "format=nhwc").loss_check(), "within stock's spread");
  EXPECT_EQ(RowOf(search, "tuned").loss_check(), "same");
}

TEST(TuneSearch, TheSpreadNeedsTwoOtherSeedsThatWorked) {
  SearchedMachine machine;
  machine.speed = [](const TuneSettings& settings) { return settings.at("format") == "nhwc" ? 1.5 : 1.0; };
  machine.loss = [](const TuneSettings& settings) { return settings.at("format") == "nhwc" ? 0.54 : 0.5; };
  SearchedMachine shaky = machine;
  machine.failing_seeds = 1;
  EXPECT_EQ(Kept(machine.Search(SampleSpace())), "format=nhwc");
  shaky.failing_seeds = 2;
  const TuneSearch search = shaky.Search(SampleSpace());
  EXPECT_EQ(Kept(search), "tuned");
  EXPECT_THAT(RowOf(search, "format=nhwc").why(), HasSubstr("too few of stock's runs with other seeds"));
}

TEST(TuneSearch, WithoutASeedNoneIsAskedFor) {
  SearchedMachine machine;
  machine.loss = [](const TuneSettings& settings) { return settings.at("format") == "nhwc" ? 0.54 : 0.5; };
  TuneSpace space = SampleSpace();
  space.has_seed = false;
  const TuneSearch search = machine.Search(space);
  EXPECT_FALSE(machine.ran_other_seeds);
  EXPECT_THAT(RowOf(search, "format=nhwc").why(), HasSubstr("without a seed"));
  EXPECT_LT(TuneSearch(space, 1).LeastS(), TuneSearch(SampleSpace(), 1).LeastS());
}

TEST(TuneSearch, OtherSeedsAreRunOnlyWhereALossNeedsThem) {
  TuneSearch search(SampleSpace(), 1);
  std::vector<TuneMeasurement> same(search.NextRound(100).size(), {.value = 1, .speed = 1, .loss = 0.5});
  ASSERT_TRUE(search.Take(same, 6).ok());
  EXPECT_EQ(search.NextRound(100).front().seed_offset, 0);
}

TEST(TuneSearch, WithoutALossOnlySpeedsAreCompared) {
  SearchedMachine machine;
  machine.has_loss = false;
  machine.speed = [](const TuneSettings& settings) { return settings.at("format") == "nhwc" ? 1.5 : 1.0; };
  const TuneSearch search = machine.Search(SampleSpace());
  EXPECT_EQ(Kept(search), "format=nhwc");
  EXPECT_FALSE(search.table().has_loss());
}

TEST(TuneSearch, WhatFailsIsNamedAndTheRestGoesOn) {
  SearchedMachine machine;
  machine.failure = [](const TuneSettings& settings) {
    return settings.at("allocator") == "retain" ? "failed: unsupported here" : "";
  };
  const TuneSearch search = machine.Search(SampleSpace());
  EXPECT_THAT(RowOf(search, "tuned").why(), HasSubstr("unsupported here"));
  EXPECT_EQ(Kept(search), "stock");
  EXPECT_TRUE(search.Conclude().is_own) << "the workload's own do not work here, so stock's are kept by name";
}

TEST(TuneSearch, WhereTheWorkloadsOwnAndTheBestFailStockIsKept) {
  SearchedMachine machine;
  const auto is_best = [](const TuneSettings& settings) {
    return settings.at("format") == "nhwc" && settings.at("threads") == "0";
  };
  machine.speed = [&](const TuneSettings& settings) { return is_best(settings) ? 1.5 : 1.0; };
  int runs_of_best = 0;
  machine.failure = [&](const TuneSettings& settings) {
    if (settings.at("allocator") == "retain") return "failed: unsupported here";
    return is_best(settings) && ++runs_of_best > 6 ? "failed: out of memory" : "";  // two stages, then the last rounds
  };
  const TuneSearch search = machine.Search(SampleSpace());
  EXPECT_THAT(RowOf(search, "allocator=stock format=nhwc").why(), HasSubstr("out of memory"));
  EXPECT_EQ(RowOf(search, "allocator=stock format=nhwc").rounds(), 6);
  EXPECT_EQ(Kept(search), "stock");
  EXPECT_TRUE(search.Conclude().is_own) << "by name, for the workload's own do not work here";
  EXPECT_EQ(search.Conclude().stock_gain, 1);
}

TEST(TuneSearch, NothingIsComparedWithAStockThatFails) {
  TuneSearch search(SampleSpace(), 1);
  const std::vector<TuneTrial> trials = search.NextRound(100);
  std::vector<TuneMeasurement> measurements(trials.size(), {.value = 1, .speed = 1});
  for (size_t i = 0; i < trials.size(); ++i) {
    if (trials[i].is_stock) measurements[i].failure = "failed: no data";
  }
  EXPECT_THAT(search.Take(measurements, 1).message(), HasSubstr("stock itself failed: failed: no data"));
}

TEST(TuneSearch, KeepsToItsBudgetAndStillConfirmsWhatItFound) {
  SearchedMachine machine;
  machine.run_s = 10;
  machine.speed = [](const TuneSettings& settings) { return settings.at("threads") == "2" ? 1.3 : 1.0; };
  const double least_s = TuneSearch(SampleSpace(), machine.run_s).LeastS();
  const TuneSearch search = machine.Search(SampleSpace(), least_s);
  EXPECT_LE(machine.elapsed_s, least_s);
  EXPECT_EQ(Kept(search), "threads=2");
  SearchedMachine rich = machine;
  rich.elapsed_s = 0;
  rich.runs = 0;
  rich.Search(SampleSpace(), 100'000);
  EXPECT_GT(rich.runs, machine.runs);
  EXPECT_LT(rich.elapsed_s, 2000) << "it ends by itself";
}

}  // namespace
}  // namespace fleetmark
