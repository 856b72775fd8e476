#include "agent/sampler/sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <vector>

#include "tests/unit/agent/sampler_fixture.h"

namespace fleetmark {
namespace {

using agent::WaitUntil;

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsNan;
using testing::StartsWith;

TEST_F(SamplerTest, RecordsWhatSensorsRead) {
  SensorScript* const steady = AddSteady("steady");
  SensorScript* const counts = Add("counts", [](int count, std::vector<Reading>* readings) {
    readings->push_back({"count", "", static_cast<double>(count)});
    return SensorSaid("ok");
  });
  Sampler sampler(Options(kNever));
  const auto recording = sampler.Record();
  EXPECT_EQ(0, steady->begins()) << "nothing is read before the start";
  recording->Start(kSubject);
  WaitForReads(steady, 20);
  WaitForReads(counts, 20);
  const v1::Telemetry telemetry = recording->Finish();
  const int reads = steady->reads();
  EXPECT_EQ(42, steady->subject().worker_pid);
  EXPECT_EQ("GPU-0", steady->subject().device_uuid);
  EXPECT_EQ(1, steady->begins());
  EXPECT_EQ("ok", Said(telemetry, "steady").state());
  EXPECT_EQ("ok", Said(telemetry, "counts").state());
  EXPECT_EQ("", Said(telemetry, "counts").why());
  ASSERT_GE(telemetry.at_s_size(), 15);
  for (const v1::TelemetrySeries& series : telemetry.series()) {
    EXPECT_EQ(telemetry.at_s_size(), series.values_size()) << series.name();
  }
  EXPECT_THAT(Values(telemetry, "steady"), testing::Contains(7));
  EXPECT_EQ(reads, steady->reads()) << "its thread has ended";
  EXPECT_EQ(0, recording->Finish().at_s_size()) << "it was handed over";
}

TEST_F(SamplerTest, ASensorMayAppear) {
  SensorScript* const late = Add("late", [](int count, std::vector<Reading>* readings) {
    if (count <= 5) return SensorSaid("absent", "there is none");
    readings->push_back({"late", "", 1});
    return SensorSaid("ok");
  });
  Sampler sampler(Options(kNever));
  const auto recording = sampler.Record();
  recording->Start(kSubject);
  WaitForReads(late, 20);
  const v1::Telemetry telemetry = recording->Finish();
  EXPECT_EQ("ok", Said(telemetry, "late").state());
  EXPECT_THAT(Said(telemetry, "late").why(), AllOf(StartsWith("absent in 5 of "), EndsWith(" s: there is none")));
  ASSERT_FALSE(Values(telemetry, "late").empty());
  EXPECT_THAT(Values(telemetry, "late")[0], IsNan());
}

TEST_F(SamplerTest, ASensorMayVanishAndTheOthersGoOn) {
  SensorScript* const vanishing = Add("vanishing", [](int count, std::vector<Reading>* readings) {
    if (count > 5) return SensorSaid("failed", "it was unplugged");
    readings->push_back({"vanishing", "", 1});
    return SensorSaid("ok");
  });
  SensorScript* const steady = AddSteady("steady");
  Sampler sampler(Options(kNever));
  const auto recording = sampler.Record();
  recording->Start(kSubject);
  WaitForReads(vanishing, 10);
  WaitForReads(steady, 10);
  const v1::Telemetry telemetry = recording->Finish();
  EXPECT_EQ("failed", Said(telemetry, "vanishing").state());
  EXPECT_THAT(Said(telemetry, "vanishing").why(), AllOf(StartsWith("since "), EndsWith(" s: it was unplugged")));
  EXPECT_THAT(Values(telemetry, "vanishing"), testing::Contains(1));
  EXPECT_THAT(Values(telemetry, "vanishing").back(), IsNan()) << "what is not known is not 0";
  EXPECT_EQ("ok", Said(telemetry, "steady").state());
}

TEST_F(SamplerTest, NonsenseIsNamedAndNotRecorded) {
  const SensorScript* const absurd = Add("absurd", [](int, std::vector<Reading>* readings) {
    readings->push_back({"cpu_percent", "%", 1e9});
    readings->push_back({"load1", "", -1});
    readings->push_back({"cpu_temperature_c", "°C", std::nan("")});
    readings->push_back({"fine", "", 1});
    return SensorSaid("ok");
  });
  Sampler sampler(Options(kNever));
  const auto recording = sampler.Record();
  recording->Start(kSubject);
  WaitForReads(absurd, 5);
  const v1::Telemetry telemetry = recording->Finish();
  ASSERT_EQ(1, telemetry.series_size());
  EXPECT_EQ("fine", telemetry.series(0).name());
  EXPECT_EQ("failed", Said(telemetry, "absurd").state());
  EXPECT_THAT(Said(telemetry, "absurd").why(), HasSubstr("cannot be"));
}

TEST_F(SamplerTest, OneNonsensicalValueLeavesAWord) {
  const SensorScript* const once = Add("once", [](int count, std::vector<Reading>* readings) {
    readings->push_back({"cpu_percent", "%", count == 3 ? 1e9 : 1.0});
    return SensorSaid("ok");
  });
  Sampler sampler(Options(kNever));
  const auto recording = sampler.Record();
  recording->Start(kSubject);
  WaitForReads(once, 10);
  const v1::Telemetry telemetry = recording->Finish();
  EXPECT_EQ("ok", Said(telemetry, "once").state());
  EXPECT_THAT(Said(telemetry, "once").why(),
              AllOf(StartsWith("failed in 1 of "), HasSubstr(": it said cpu_percent = 1000000000")));
}

TEST_F(SamplerTest, ASensorThatWasForbiddenForAWhileSaysSo) {
  const SensorScript* const denied = Add("denied", [](int count, std::vector<Reading>* readings) {
    if (count >= 3 && count < 9) return SensorSaid("forbidden", "root alone may read it");
    readings->push_back({"denied", "", 1});
    return SensorSaid("ok");
  });
  Sampler sampler(Options(kNever));
  const auto recording = sampler.Record();
  recording->Start(kSubject);
  WaitForReads(denied, 20);
  const v1::Telemetry telemetry = recording->Finish();
  EXPECT_EQ("ok", Said(telemetry, "denied").state());
  EXPECT_THAT(Said(telemetry, "denied").why(),
              AllOf(StartsWith("forbidden in 6 of "), EndsWith(" s: root alone may read it")));
}

TEST_F(SamplerTest, WhatASensorThrowsIsItsOwnFailure) {
  const SensorScript* const throwing = Add("throwing", [](int, std::vector<Reading>* readings) -> v1::Sensor {
    readings->push_back({"half", "", 1});
    throw std::runtime_error("its driver is gone");
  });
  Sampler sampler(Options(kNever));
  const auto recording = sampler.Record();
  recording->Start(kSubject);
  WaitForReads(throwing, 5);
  const v1::Telemetry telemetry = recording->Finish();
  EXPECT_EQ("failed", Said(telemetry, "throwing").state());
  EXPECT_EQ("its driver is gone", Said(telemetry, "throwing").why());
  EXPECT_EQ(0, telemetry.series_size());
}

TEST_F(SamplerTest, InAlternatingBlocksNothingIsReadInThoseThatAreOff) {
  const SensorScript* const steady = AddSteady("steady");
  Sampler sampler(Options(kNever));
  const BlockSchedule blocks = {.block_s = 0.02};
  const auto recording = sampler.Record(blocks);
  recording->Start(kSubject);
  const auto is_in_block = [&](int block) {
    const std::vector<double> read_at_s = steady->read_at_s();
    return !read_at_s.empty() && blocks.BlockAt(read_at_s.back()) >= block;
  };
  ASSERT_TRUE(WaitUntil([&] { return is_in_block(7); }));
  recording->Finish();
  for (const double at_s : steady->read_at_s()) EXPECT_TRUE(blocks.IsOnAt(at_s)) << at_s;
}

TEST_F(SamplerTest, InAlternatingBlocksNothingIsReadAtTheirBorders) {
  const SensorScript* const steady = AddSteady("steady");
  Sampler::Options options = Options(kNever);
  options.interval_s = 0.2;  // half of it is how late a thread may be
  Sampler sampler(options);
  const BlockSchedule blocks = {.block_s = 0.4};
  const auto recording = sampler.Record(blocks);
  recording->Start(kSubject);
  WaitForReads(steady, 3);
  recording->Finish();
  for (const double at_s : steady->read_at_s()) {
    EXPECT_GE(std::fmod(at_s, blocks.block_s), options.interval_s / 2) << at_s;
  }
}

TEST_F(SamplerTest, RecordsTwoRunsAtOnce) {
  const SensorScript* const steady = AddSteady("steady");
  Sampler sampler(Options(kNever));
  const auto first = sampler.Record(), second = sampler.Record();
  first->Start(kSubject);
  second->Start(kSubject);
  WaitForReads(steady, 20);
  EXPECT_EQ(2, steady->begins());
  const v1::Telemetry telemetry = first->Finish();
  WaitForReads(steady, 20);
  EXPECT_THAT(Values(telemetry, "steady"), testing::Contains(7));
  EXPECT_THAT(Values(second->Finish(), "steady"), testing::Contains(7));
}

TEST_F(SamplerTest, ARunThatEndedBeforeItsStartIsNotSampled) {
  const SensorScript* const steady = AddSteady("steady");
  Sampler sampler(Options(kNever));
  const auto recording = sampler.Record();
  EXPECT_EQ(0, recording->Finish().sensors_size());
  recording->Start(kSubject);
  EXPECT_EQ(0, steady->begins());
}

}  // namespace
}  // namespace fleetmark
