#include "agent/sampler/sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/fakes/scripted_sensor.h"
#include "tests/unit/agent/agent_fixture.h"

namespace fleetmark {
namespace {

using agent::WaitUntil;

using testing::Each;
using testing::HasSubstr;
using testing::IsNan;

class SamplerTest : public testing::Test {
 protected:
  static constexpr double kHang_s = 1;  // far above what a busy machine keeps a thread waiting

  SensorScript* Add(const std::string& name, SensorScript::Reader reader) {
    scripts_.push_back(std::make_shared<SensorScript>(name, std::move(reader)));
    return scripts_.back().get();
  }
  // One that always reads 7 of series NAME.
  SensorScript* AddSteady(const std::string& name) {
    return Add(name, [name](int, std::vector<Reading>* readings) {
      readings->push_back({name, "", 7});
      return SensorSaid("ok");
    });
  }
  Sampler::Options Options(double hang_s) {
    return {.make_sensors =
                [this](const SensorSubject&) {
                  std::vector<std::unique_ptr<Sensor>> sensors;
                  for (const auto& script : scripts_) sensors.push_back(std::make_unique<ScriptedSensor>(script));
                  return sensors;
                },
            .interval_s = 0.001,
            .first_read_s = 0,
            .hang_s = hang_s,
            .absent_interval_s = 0.001};
  }
  static void WaitForReads(const SensorScript* script, int count) {
    const int enough = script->reads() + count;
    ASSERT_TRUE(WaitUntil([&] { return script->reads() >= enough; })) << script->name() << " is not read";
  }
  static std::vector<float> Values(const v1::Telemetry& telemetry, const std::string& name) {
    for (const v1::TelemetrySeries& series : telemetry.series()) {
      if (series.name() == name) return {series.values().begin(), series.values().end()};
    }
    return {};
  }
  static v1::Sensor Said(const v1::Telemetry& telemetry, const std::string& name) {
    for (const v1::Sensor& sensor : telemetry.sensors()) {
      if (sensor.name() == name) return sensor;
    }
    return SensorSaid("not listed");
  }

  std::vector<std::shared_ptr<SensorScript>> scripts_;
};

constexpr double kNever = 1000;  // for tests in which nothing hangs, on whatever machine
const SensorSubject kSubject = {42, "cuda:0", "GPU-0"};

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
  EXPECT_EQ("it was unplugged", Said(telemetry, "vanishing").why());
  EXPECT_THAT(Values(telemetry, "vanishing"), testing::Contains(1));
  EXPECT_THAT(Values(telemetry, "vanishing").back(), IsNan()) << "what is not known is not 0";
  EXPECT_EQ("ok", Said(telemetry, "steady").state());
}

TEST_F(SamplerTest, ASensorThatHangsIsNamedAndNobodyWaitsForIt) {
  SensorScript* const hanging = AddSteady("hanging");
  SensorScript* const steady = AddSteady("steady");
  Sampler sampler(Options(kHang_s));
  auto recording = sampler.Record();
  recording->Start(kSubject);
  WaitForReads(hanging, 5);
  hanging->Hold();
  const auto hung_long = [&] {
    const std::vector<double> tries = hanging->read_at_s(), others = steady->read_at_s();
    return !tries.empty() && !others.empty() && others.back() > tries.back() + 1.2 * kHang_s;
  };
  ASSERT_TRUE(WaitUntil(hung_long)) << "the other sensor is read on";
  const v1::Telemetry telemetry = recording->Finish();
  EXPECT_EQ("hangs", Said(telemetry, "hanging").state());
  EXPECT_THAT(Said(telemetry, "hanging").why(), HasSubstr("1.00 s"));
  EXPECT_THAT(Values(telemetry, "hanging"), testing::Contains(7)) << "what came before is kept";
  EXPECT_THAT(Values(telemetry, "hanging").back(), IsNan());
  EXPECT_EQ("ok", Said(telemetry, "steady").state());

  // While it hangs, further runs give it no more threads.
  recording = sampler.Record();
  recording->Start(kSubject);
  WaitForReads(steady, 5);
  EXPECT_EQ("hangs", Said(recording->Finish(), "hanging").state());
  EXPECT_EQ(1, hanging->begins());

  hanging->Release();
  EXPECT_TRUE(WaitUntil([&] {
    recording = sampler.Record();
    recording->Start(kSubject);
    const int reads = steady->reads();
    WaitUntil([&] { return steady->reads() > reads; });
    return Said(recording->Finish(), "hanging").state() != "hangs";
  })) << "it has come back";
}

TEST_F(SamplerTest, ASensorThatAnswersTooLateIsGivenUp) {
  SensorScript* const slow = AddSteady("slow");
  SensorScript* const steady = AddSteady("steady");
  slow->Hold();
  Sampler sampler(Options(kHang_s));
  const auto recording = sampler.Record();
  recording->Start(kSubject);
  ASSERT_TRUE(WaitUntil([&] { return !steady->read_at_s().empty() && steady->read_at_s().back() > 1.2 * kHang_s; }));
  slow->Release();
  WaitForReads(steady, 20);
  const v1::Telemetry telemetry = recording->Finish();
  EXPECT_EQ("hangs", Said(telemetry, "slow").state());
  EXPECT_THAT(Values(telemetry, "slow"), Each(IsNan()));
  EXPECT_EQ(1, slow->reads());
}

TEST_F(SamplerTest, ARunMayEndBeforeASensorHasAnswered) {
  SensorScript* const slow = AddSteady("slow");
  slow->Hold();
  Sampler sampler(Options(kNever));
  const auto recording = sampler.Record();
  recording->Start(kSubject);
  ASSERT_TRUE(WaitUntil([&] { return slow->reads() == 1; }));
  const v1::Telemetry telemetry = recording->Finish();
  EXPECT_EQ("failed", Said(telemetry, "slow").state());
  EXPECT_THAT(Said(telemetry, "slow").why(), HasSubstr("before it had answered"));
  slow->Release();
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
