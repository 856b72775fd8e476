#include "common/telemetry_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace fleetmark {
namespace {

using ::testing::ElementsAre;

v1::Telemetry FivePoints() {
  v1::Telemetry telemetry;
  telemetry.set_interval_s(1);
  v1::TelemetrySeries* series = telemetry.add_series();
  series->set_name("load1");
  for (int i = 1; i <= 5; ++i) {
    telemetry.add_at_s(i);
    series->add_values(static_cast<float>(i));
  }
  return telemetry;
}

TEST(TelemetryViewTest, TakesThePointsThatCoverTheMeasuredPart) {
  v1::Telemetry telemetry = FivePoints();
  EXPECT_EQ(5u, SeriesView(telemetry, "load1").size());
  telemetry.set_measured_from_s(1.2);  // the point at 2 is of 1 to 2, most of it within
  telemetry.set_measured_until_s(4.2);
  EXPECT_THAT(SeriesView(telemetry, "load1").values(), ElementsAre(2, 3, 4));
  EXPECT_EQ(3, CountMeasuredPoints(telemetry));
}

TEST(TelemetryViewTest, APartIsOfTheMeasuredTime) {
  v1::Telemetry telemetry = FivePoints();
  EXPECT_TRUE(SeriesView(telemetry, "load1", 0, 0.5).empty()) << "nobody knows when the half was";
  telemetry.set_measured_from_s(1);
  telemetry.set_measured_until_s(5);
  EXPECT_THAT(SeriesView(telemetry, "load1", 0, 0.5).values(), ElementsAre(2, 3));
  EXPECT_THAT(SeriesView(telemetry, "load1", 0.5, 1).values(), ElementsAre(4, 5));
  EXPECT_THAT(SeriesView(telemetry, "load1", 0, 1).values(), ElementsAre(2, 3, 4, 5));
}

TEST(TelemetryViewTest, WhatWasUnknownIsLeftOut) {
  v1::Telemetry telemetry = FivePoints();
  telemetry.mutable_series(0)->set_values(1, std::numeric_limits<float>::quiet_NaN());
  const SeriesView view(telemetry, "load1");
  EXPECT_THAT(view.values(), ElementsAre(1, 3, 4, 5));
  EXPECT_DOUBLE_EQ(3.25, view.Mean());
  EXPECT_DOUBLE_EQ(1, view.Min());
  EXPECT_DOUBLE_EQ(5, view.Max());
  EXPECT_DOUBLE_EQ(0.75, view.ShareFrom(3));
}

TEST(TelemetryViewTest, APairHasThePointsAtWhichBothAreKnown) {
  v1::Telemetry telemetry = FivePoints();
  v1::TelemetrySeries* other = telemetry.add_series();
  other->set_name("cpu_mhz");
  for (int i = 1; i <= 4; ++i) other->add_values(static_cast<float>(10 * i));
  telemetry.mutable_series(0)->set_values(1, std::numeric_limits<float>::quiet_NaN());
  const SeriesPair pair(telemetry, "load1", "cpu_mhz");
  EXPECT_THAT(pair.first, ElementsAre(1, 3, 4));
  EXPECT_THAT(pair.second, ElementsAre(10, 30, 40));
  EXPECT_TRUE(SeriesPair(telemetry, "load1", "gpu_mhz").first.empty());
}

TEST(TelemetryViewTest, ASeriesThatIsNotThereIsEmpty) { EXPECT_TRUE(SeriesView(FivePoints(), "gpu_mhz").empty()); }

}  // namespace
}  // namespace fleetmark
