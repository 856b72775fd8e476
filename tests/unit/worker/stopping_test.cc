#include "agent/worker/stopping.h"

#include <gtest/gtest.h>

#include <vector>

#include "agent/worker/settings.h"

namespace fleetmark {
namespace {

TEST(Stopping, AfterSteps) {
  const auto rule = StopAfterSteps(10);
  EXPECT_FALSE(rule->Reached({.steps = 9}));
  EXPECT_TRUE(rule->Reached({.steps = 10}));
  EXPECT_EQ(rule->StepsLeft({.steps = 7}), 3);
}

TEST(Stopping, AfterDuration) {
  const auto rule = StopAfterDuration(2);
  EXPECT_FALSE(rule->Reached({.steps = 1000000, .measured_s = 1.99}));
  EXPECT_TRUE(rule->Reached({.steps = 1, .measured_s = 2}));
  EXPECT_DOUBLE_EQ(rule->ExpectedSteps(50), 100);
}

TEST(Stopping, AfterEpochs) {
  const auto rule = StopAfterEpochs(2, 90);
  EXPECT_FALSE(rule->Reached({.steps = 80, .epochs = 1}));
  EXPECT_TRUE(rule->Reached({.steps = 90, .epochs = 2}));
  EXPECT_DOUBLE_EQ(rule->ExpectedSteps(7), 90);
}

TEST(Stopping, WhenTheIntervalIsNarrowEnough) {
  std::vector<double> steady, rough;
  for (int i = 0; i < 200; ++i) {
    steady.push_back(i % 2 == 0 ? 0.99 : 1.01);
    rough.push_back((i / 20) % 2 == 0 ? 0.5 : 1.5);
  }
  EXPECT_TRUE(StopWhenCertain(0.01)->Reached({.steps = 200, .measured_s = 200, .step_s = steady}));
  EXPECT_FALSE(StopWhenCertain(0.01)->Reached({.steps = 200, .measured_s = 200, .step_s = rough}));
}

TEST(Stopping, NotBefore30SamplesAndOneSecond) {
  const std::vector<double> same(100, 0.1);
  const auto rule = StopWhenCertain(0.1);
  EXPECT_FALSE(rule->Reached({.steps = 29, .measured_s = 29, .step_s = std::span(same).first(29)}));
  EXPECT_FALSE(rule->Reached({.steps = 100, .measured_s = 0.5, .step_s = same}));
  EXPECT_TRUE(rule->Reached({.steps = 100, .measured_s = 1, .step_s = same}));
}

TEST(Stopping, RulesComeFromTheParametersThatAreSet) {
  const auto specs = Merge({{.name = "epochs", .type = "int", .default_value = "3"}},
                           LoopParameters({.steps = 0, .duration_s = 0, .warmup = 10}));
  const auto none = Parameters::Parse(specs, {});
  ASSERT_TRUE(none.ok());
  EXPECT_TRUE(StopRules::FromParameters(*none, 0).empty());
  EXPECT_EQ(StopRules::FromParameters(*none, 100).Reached({.epochs = 3}), "epochs");
  EXPECT_DOUBLE_EQ(StopRules::FromParameters(*none, 100).ExpectedSteps(1), 290);
  const auto both = Parameters::Parse(specs, {{"steps", "50"}, {"duration_s", "9.5"}});
  ASSERT_TRUE(both.ok());
  StopRules rules = StopRules::FromParameters(*both, 0);
  EXPECT_EQ(rules.Reached({.steps = 49, .measured_s = 9.4}), "");
  EXPECT_EQ(rules.Reached({.steps = 50, .measured_s = 9.4}), "steps");
  EXPECT_EQ(rules.Reached({.steps = 49, .measured_s = 9.5}), "duration_s");
  EXPECT_EQ(rules.StepsLeft({.steps = 20}), 30);
  EXPECT_DOUBLE_EQ(rules.ExpectedSteps(2), 19);
}

}  // namespace
}  // namespace fleetmark
