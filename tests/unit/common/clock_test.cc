#include "common/clock.h"

#include <gtest/gtest.h>

#include <limits>

namespace fleetmark {
namespace {

TEST(SecondsToNanos, ForEverIsLongAndCanBeAddedTo) {
  constexpr int64_t kNow = 1'000'000 * kNanosPerSecond;
  for (const double seconds :
       {1e300, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_GT(kNow + SecondsToNanos(seconds), kNow);
    EXPECT_EQ(SecondsToNanos(seconds), SecondsToNanos(1e10));
  }
  EXPECT_EQ(SecondsToNanos(-std::numeric_limits<double>::infinity()), -SecondsToNanos(1e10));
  EXPECT_EQ(SecondsToNanos(1.5), 1'500'000'000);
}

}  // namespace
}  // namespace fleetmark
