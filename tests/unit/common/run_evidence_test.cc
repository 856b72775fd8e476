#include "common/run_evidence.h"

#include <gtest/gtest.h>

#include <vector>

namespace fleetmark {
namespace {

// Epochs of 50 steps and samples of 40, so that each second sample is of 10: 0.1 s a step, and 0.2 s from the middle
// on.
TEST(RunEvidence, AChangeIsWhereItWasThoughSamplesAreOfUnlikeManySteps) {
  constexpr int kEpochs = 100;
  v1::Result result;
  v1::Samples* samples = result.add_samples();
  samples->set_name("step_s");
  double measured_s = 0;
  for (int epoch = 0; epoch < kEpochs; ++epoch) {
    const double step_s = epoch < kEpochs / 2 ? 0.1 : 0.2;
    samples->add_values(0.99 * step_s);
    samples->add_values(1.01 * step_s);
    measured_s += 50 * step_s;
  }
  result.mutable_summary()->set_measured_s(measured_s);
  result.mutable_summary()->set_steps_per_sample(40);
  const v1::Steadiness steadiness = SteadinessOf(result);
  ASSERT_EQ(1, steadiness.change_points_size());
  EXPECT_NEAR(measured_s / 3, steadiness.change_points(0).at_s(), 1e-6);
}

TEST(RunEvidence, HowManyStepsASampleHasIsGuessedWhereNothingTells) {
  const std::vector<double> step_s = {0.1, 0.1}, none;
  v1::Result result;
  EXPECT_EQ(1, StepsPerSample(result, step_s));
  result.mutable_summary()->set_steps_per_sample(40);
  EXPECT_EQ(40, StepsPerSample(result, step_s));
  EXPECT_EQ(40, StepsPerSample(result, none));
  result.mutable_summary()->set_measured_s(5);
  EXPECT_EQ(25, StepsPerSample(result, step_s));
}

}  // namespace
}  // namespace fleetmark
