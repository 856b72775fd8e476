#include "agent/sampler/telemetry_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace fleetmark {
namespace {

using testing::HasSubstr;

constexpr double kInterval = 0.25;

std::vector<float> ValuesOf(const v1::Telemetry& telemetry, const std::string& name) {
  for (const v1::TelemetrySeries& series : telemetry.series()) {
    if (series.name() == name) return {series.values().begin(), series.values().end()};
  }
  return {};
}

TEST(TelemetryRecord, PutsWhatSensorsReadOnOneAxis) {
  TelemetryRecord record(kInterval);
  record.Add(0.02, {"load1", "", 1});  // the start belongs to the first point
  record.Add(0.26, {"load1", "", 3});
  record.Add(0.51, {"load1", "", 5});
  record.Add(0.77, {"cpu_mhz", "MHz", 3000});  // another, which appeared later
  record.Add(1.01, {"load1", "", 7});
  const v1::Telemetry telemetry = record.Build();
  EXPECT_EQ(kInterval, telemetry.interval_s());
  EXPECT_THAT(telemetry.at_s(), testing::ElementsAre(0.25, 0.5, 0.75, 1));
  EXPECT_THAT(ValuesOf(telemetry, "load1"), testing::ElementsAre(2, 5, testing::IsNan(), 7));
  EXPECT_THAT(ValuesOf(telemetry, "cpu_mhz"),
              testing::ElementsAre(testing::IsNan(), testing::IsNan(), 3000, testing::IsNan()));
  EXPECT_EQ("MHz", telemetry.series(0).unit());
}

TEST(TelemetryRecord, IsEmptyWhereNothingWasRead) {
  const v1::Telemetry telemetry = TelemetryRecord(kInterval).Build();
  EXPECT_EQ(0, telemetry.at_s_size());
  EXPECT_EQ(0, telemetry.series_size());
}

TEST(TelemetryRecord, StaysSmallHoweverLongTheRun) {
  TelemetryRecord record(kInterval);
  constexpr int kReadings = 4 * 3600;  // an hour
  for (int tick = 1; tick <= kReadings; ++tick) {
    record.Add(tick * kInterval, {"rises", "", static_cast<double>(tick)});
    if (tick % 16 > 8) record.Add(tick * kInterval, {"gaps", "", 1});
  }
  const v1::Telemetry telemetry = record.Build();
  EXPECT_LE(telemetry.at_s_size(), TelemetryRecord::kMostPoints);
  EXPECT_GT(telemetry.at_s_size(), TelemetryRecord::kMostPoints / 2);
  const double factor = telemetry.interval_s() / kInterval;
  EXPECT_EQ(8, factor);
  EXPECT_EQ(3600, telemetry.at_s(telemetry.at_s_size() - 1));
  const std::vector<float> rises = ValuesOf(telemetry, "rises");
  for (size_t i = 0; i < rises.size(); ++i) {
    const double last = static_cast<double>(i + 1) * factor;
    ASSERT_FLOAT_EQ(static_cast<float>(last - (factor - 1) / 2), rises[i]) << "the mean of those it stands for";
  }
  EXPECT_TRUE(std::isnan(ValuesOf(telemetry, "gaps")[0]));
  EXPECT_EQ(1, ValuesOf(telemetry, "gaps")[1]);
}

TEST(TelemetryRecord, StaysSmallHoweverManyCpus) {
  TelemetryRecord record(kInterval);
  constexpr int kCpus = 400;
  for (int tick = 1; tick <= 3000; ++tick) {
    for (int cpu = 0; cpu < kCpus; ++cpu) record.Add(tick * kInterval, {"cpu_percent." + std::to_string(cpu), "%", 50});
  }
  const v1::Telemetry telemetry = record.Build();
  EXPECT_LE(telemetry.at_s_size() * telemetry.series_size(), TelemetryRecord::kMostValues);
  EXPECT_GE(telemetry.at_s_size(), TelemetryRecord::kFewestPoints);
}

TEST(Nonsense, IsWhatNoMachineCanBe) {
  constexpr int kCpus = 4;
  const Reading sane[] = {{"cpu_percent", "%", 0},         {"cpu_percent", "%", 400},       {"cpu_percent", "%", 416},
                          {"cpu_temperature_c", "°C", -5}, {"cpu_temperature_c", "°C", 99}, {"load1", "", 1e4},
                          {"gpu_power_w", "W", 700}};
  for (const Reading& reading : sane) EXPECT_FALSE(Nonsense(reading, kCpus)) << reading.name << reading.value;
  const Reading absurd[] = {{"cpu_percent", "%", -1},
                            {"cpu_percent", "%", 601},
                            {"cpu_percent", "%", std::nan("")},
                            {"cpu_temperature_c", "°C", -60},
                            {"cpu_temperature_c", "°C", 32767},
                            {"load1", "", -0.5},
                            {"net_send_bytes_per_s", "B/s", std::numeric_limits<double>::infinity()},
                            {"package_power_w", "W", 1e6}};
  for (const Reading& reading : absurd) {
    const auto why = Nonsense(reading, kCpus);
    ASSERT_TRUE(why) << reading.name << reading.value;
    EXPECT_THAT(*why, HasSubstr(reading.name));
  }
}

}  // namespace
}  // namespace fleetmark
