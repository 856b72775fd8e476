#include "tests/simulation/explorer.h"

#include <gtest/gtest.h>

#include "tests/simulation/apart.h"

namespace fleetmark::simulation {
namespace {

// Threads come to a state by other ways: if states that count as one were not, they would find others behind it.
TEST(Explorer, FindsTheSameWithAnyNumberOfThreads) {
  const Model model{.agents = 1, .runs = 1, .lost = 1, .crashes = 0};
  const Explored alone = Explore(model, 1, nullptr), together = Explore(model, 4, nullptr);
  EXPECT_TRUE(alone.is_whole);
  EXPECT_TRUE(together.is_whole);
  EXPECT_EQ(together.states, alone.states);
  EXPECT_EQ(together.transitions, alone.transitions);
  EXPECT_EQ(together.ends, alone.ends);
  EXPECT_GT(alone.states, 100U);
}

TEST(Explorer, GivesUpAfterSoManyStates) {
  const Explored found = Explore({.agents = 1, .runs = 1, .most_states = 50}, 2, nullptr);
  EXPECT_FALSE(found.is_whole);
  EXPECT_EQ(found.states, 50U);
  EXPECT_FALSE(found.violation);
}

// Runs that any agent may take are the business of all.
TEST(CompareApart, SeesWhereAgentsShareRuns) {
  const Compared compared = CompareApart({.is_any = true}, 20, 1, nullptr);
  ASSERT_TRUE(compared.violation);
  EXPECT_EQ(compared.violation->invariant, 0);
}

}  // namespace
}  // namespace fleetmark::simulation
