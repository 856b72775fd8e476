#include "coordinator/cli/render/number.h"

#include <gtest/gtest.h>

#include <cmath>

namespace fleetmark {
namespace {

TEST(FormatNumberTest, HasFourSignificantDigitsAndNoMore) {
  EXPECT_EQ(FormatNumber(71.2345), "71.23");
  EXPECT_EQ(FormatNumber(0.0270123), "0.02701");
  EXPECT_EQ(FormatNumber(2718.28), "2718");
  EXPECT_EQ(FormatNumber(123456.7), "123457");
  EXPECT_EQ(FormatNumber(0), "0");
  EXPECT_EQ(FormatNumber(64), "64");
  EXPECT_EQ(FormatNumber(-1.5), "-1.500");
  EXPECT_EQ(FormatNumber(1.2e-9), "1.2e-09");
  EXPECT_EQ(FormatNumber(std::nan("")), "nan");
}

TEST(FormatValueTest, GivesTheIntervalTwoDigitsAndTheValueAsMany) {
  EXPECT_EQ(FormatValue(71.2345, 70.8245, 71.6445).Joined(), "71.23 ± 0.41");
  EXPECT_EQ(FormatValue(2718.28, 2705.9, 2730.6).Joined(), "2718 ± 12");
  EXPECT_EQ(FormatValue(0.023545, 0.023435, 0.023655).Joined(), "0.02354 ± 0.00011");
}

TEST(FormatValueTest, ShowsBothEndsWhereTheIntervalIsNotSymmetric) {
  EXPECT_EQ(FormatValue(71.2, 70.1, 73.9).Joined(), "71.2 [70.1, 73.9]");
}

TEST(FormatValueTest, HasNoIntervalWhereThereIsNone) {
  EXPECT_EQ(FormatValue(71.2345, std::nullopt, std::nullopt).Joined(), "71.23");
}

TEST(FormatValueTest, AnIntervalOfNoWidthIsOneStill) {
  EXPECT_EQ(FormatValue(71.2345, 71.2345, 71.2345).Joined(), "71.23 ± 0");
  EXPECT_EQ(FormatValue(0.5, std::nextafter(0.5, 0.0), std::nextafter(0.5, 0.0)).Joined(), "0.5000 ± 0") << "rounding";
  EXPECT_EQ(FormatValue(0, 0, 0).Joined(), "0 ± 0");
  EXPECT_EQ(FormatValue(1.2e-9, 1.2e-9, 1.2e-9).Joined(), "1.2e-09 ± 0");
  EXPECT_EQ(FormatValue(71.2345, 70, 70).Joined(), "71.23") << "it is not this value's";
}

TEST(FormatBytesTest, PicksTheUnit) {
  EXPECT_EQ(FormatBytes(0), "0 B");
  EXPECT_EQ(FormatBytes(999), "999 B");
  EXPECT_EQ(FormatBytes(1.208e9), "1.21 GB");
  EXPECT_EQ(FormatBytes(612e6), "612 MB");
  EXPECT_EQ(FormatBytes(999.9e6), "1.00 GB");
}

TEST(FormatSecondsTest, PicksTheUnit) {
  EXPECT_EQ(FormatSeconds(0.0271), "27.10 ms");
  EXPECT_EQ(FormatSeconds(3.402), "3.402 s");
  EXPECT_EQ(FormatSeconds(1.5e-6), "1.500 µs");
}

TEST(FormatChangeTest, HasASign) {
  EXPECT_EQ(FormatChange(0.0132), "+1.3 %");
  EXPECT_EQ(FormatChange(-0.2), "-20.0 %");
  EXPECT_EQ(FormatChange(0), "0.0 %");
}

}  // namespace
}  // namespace fleetmark
