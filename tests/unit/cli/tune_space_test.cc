#include "coordinator/cli/tune_space.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/cli/sample_workload.h"

namespace fleetmark {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

TEST(TuneSpace, HasEveryChoiceAndSensibleNumbersWithinTheBounds) {
  const TuneSpace space = SampleSpace();
  ASSERT_THAT(space.dimensions, SizeIs(3)) << "batch is not tunable";
  EXPECT_THAT(space.dimensions[0].values, ElementsAre("stock", "retain"));
  // One, half the cores, and the logical ones are out of bounds; 0 is the physical cores.
  EXPECT_THAT(space.dimensions[2].values, ElementsAre("0", "1", "2"));
  EXPECT_EQ(space.tuned.at("allocator"), "retain");
  EXPECT_EQ(space.NameOf(space.stock), "stock");
  EXPECT_EQ(space.NameOf(space.tuned), "tuned");
  EXPECT_EQ(space.NameOf({{"allocator", "retain"}, {"format", "nhwc"}, {"threads", "1"}}), "format=nhwc threads=1");
  EXPECT_THAT(space.Neighbours(space.tuned), SizeIs(4));
  EXPECT_EQ(MakeTuneSpace(SampleWorkload(), "cuda", SampleHost()).NameOf(space.stock), "stock")
      << "tuned is stock there";
}

TEST(TuneSpace, OtherNumbersAreHalvedAndDoubled) {
  v1::WorkloadSpec workload;
  v1::ParameterSpec* depth = AddTunable(&workload, "depth", "int", "4");
  depth->set_min(3);
  depth->set_max(10);
  AddTunable(&workload, "compile", "bool", "false");
  const TuneSpace space = MakeTuneSpace(workload, "cpu", SampleHost());
  EXPECT_THAT(space.dimensions[0].values, ElementsAre("4", "8"));
  EXPECT_THAT(space.dimensions[1].values, ElementsAre("false", "true"));
}

TEST(TuneSpace, OtherSeedsWrapWithinTheBoundsOfTheParameter) {
  EXPECT_TRUE(SampleSpace().has_seed);
  v1::ParameterSpec seed;
  EXPECT_EQ(OtherSeed(seed, "2147483647", 1), "0");
  seed.set_min(5);
  seed.set_max(9);
  EXPECT_EQ(OtherSeed(seed, "7", 2), "9");
  EXPECT_EQ(OtherSeed(seed, "7", 3), "5");
  seed.set_max(1e12);
  EXPECT_EQ(OtherSeed(seed, "5000000000", 1), "5000000001");
}

}  // namespace
}  // namespace fleetmark
