#include "common/time_text.h"

#include <gtest/gtest.h>

namespace fleetmark {
namespace {

TEST(ParseDuration, TakesTheUsualUnits) {
  EXPECT_EQ(*ParseDuration("90"), 90);
  EXPECT_EQ(*ParseDuration("1.5s"), 1.5);
  EXPECT_EQ(*ParseDuration("15m"), 900);
  EXPECT_EQ(*ParseDuration("2h"), 7200);
  EXPECT_EQ(*ParseDuration("7d"), 7 * 86400);
  for (const char* text : {"", "s", "-1s", "7 days", "1y", "inf", "nan"})
    EXPECT_FALSE(ParseDuration(text).ok()) << text;
}

TEST(ParseTime, TakesAgesAndDates) {
  EXPECT_EQ(*ParseTime("7d", 1'000'000), 1'000'000 - 7 * 86400);
  EXPECT_EQ(*ParseTime("1970-01-02T00:00:00Z", 0), 86400);
  EXPECT_EQ(*ParseTime("1970-01-02T00:01Z", 0), 86460);
  EXPECT_TRUE(ParseTime("2026-11-21", 0).ok());
  for (const char* text : {"", "yesterday", "2026-13-01", "2026-02-31", "2026-11-21x"}) {
    EXPECT_FALSE(ParseTime(text, 0).ok()) << text;
  }
}

TEST(Format, IsWhatParseReads) {
  const double time = *ParseTime("2026-11-21 14:02:30", 0);
  EXPECT_EQ(FormatTime(time), "2026-11-21 14:02:30");
  EXPECT_EQ(FormatTimeBriefly(time, time + 60), "14:02");
  EXPECT_EQ(FormatTimeBriefly(time, time + 86400), "2026-11-21 14:02");
  EXPECT_EQ(FormatTime(0), "-");
}

TEST(FormatDuration, KeepsTwoUnits) {
  EXPECT_EQ(FormatDuration(0.84), "0.8 s");
  EXPECT_EQ(FormatDuration(42), "42 s");
  EXPECT_EQ(FormatDuration(59.9), "1 min 0 s");
  EXPECT_EQ(FormatDuration(200), "3 min 20 s");
  EXPECT_EQ(FormatDuration(7500), "2 h 5 min");
  EXPECT_EQ(FormatDuration(3 * 86400), "3 d 0 h");
}

}  // namespace
}  // namespace fleetmark
