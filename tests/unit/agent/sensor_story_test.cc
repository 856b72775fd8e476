// What is said at a run's end of a sensor that was not the same throughout.
#include "agent/sampler/sensor_story.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/fakes/scripted_sensor.h"

namespace fleetmark {
namespace {

constexpr double kIntervalS = 0.5;

class SensorStoryTest : public testing::Test {
 protected:
  // Readings until `until_s`, one every half second.
  void SaysUntil(double until_s, const std::string& state, const std::string& why = "") {
    for (; now_s_ < until_s; now_s_ += kIntervalS) story_.Take(now_s_, SensorSaid(state, why));
  }
  std::string State() const { return story_.Tell().state(); }
  std::string Why() const { return story_.Tell().why(); }

  SensorStory story_;
  double now_s_ = 0;
};

TEST_F(SensorStoryTest, IsSilentOfOneThatWasFine) {
  EXPECT_EQ("", story_.last().state());
  SaysUntil(60, "ok");
  EXPECT_EQ("ok", State());
  EXPECT_EQ("", Why());
}

TEST_F(SensorStoryTest, SaysOnceWhatWasSoThroughout) {
  SaysUntil(60, "absent", "there is none");
  EXPECT_EQ("absent", State());
  EXPECT_EQ("there is none", Why());
}

TEST_F(SensorStoryTest, KeepsWhatAnOkSensorSaysOfItself) {
  SaysUntil(60, "ok", "NVML names no process of the run");
  EXPECT_EQ("NVML names no process of the run", Why());
  SaysUntil(61, "failed", "it broke");
  SaysUntil(120, "ok", "NVML names no process of the run");
  EXPECT_EQ("ok", State());
  EXPECT_EQ("NVML names no process of the run; failed in 2 of 240 readings, from 60.0 s to 60.5 s: it broke", Why());
}

TEST_F(SensorStoryTest, TellsOfAFailureFromWhichItRecovered) {
  SaysUntil(2, "ok");
  SaysUntil(58, "forbidden", "it may be read by root alone");
  SaysUntil(60, "ok");
  EXPECT_EQ("ok", State());
  EXPECT_EQ("forbidden in 112 of 120 readings, from 2.0 s to 57.5 s: it may be read by root alone", Why());
}

TEST_F(SensorStoryTest, TellsOfOneReading) {
  SaysUntil(12, "ok");
  SaysUntil(12.5, "failed", "it said cpu_percent = -1, which cannot be and is left out");
  SaysUntil(60, "ok");
  EXPECT_EQ("ok", State());
  EXPECT_EQ("failed in 1 of 120 readings, at 12.0 s: it said cpu_percent = -1, which cannot be and is left out", Why());
}

TEST_F(SensorStoryTest, TellsOfOneThatAppearedAtTheLast) {
  SaysUntil(59.5, "absent", "there is none");
  SaysUntil(60, "ok");
  EXPECT_EQ("ok", State());
  EXPECT_EQ("absent in 119 of 120 readings, from 0.0 s to 59.0 s: there is none", Why());
}

TEST_F(SensorStoryTest, TellsSinceWhenOneIsGone) {
  SaysUntil(30, "ok");
  SaysUntil(60, "absent", "it was unplugged");
  EXPECT_EQ("absent", State());
  EXPECT_EQ("since 30.0 s: it was unplugged", Why());
}

TEST_F(SensorStoryTest, AddsUpWhatCameSeveralTimes) {
  SaysUntil(10, "ok");
  SaysUntil(11, "failed", "a cable is loose");
  SaysUntil(20, "ok");
  SaysUntil(21, "failed", "the GPU has fallen off the bus");
  SaysUntil(30, "ok");
  EXPECT_EQ("failed in 4 of 60 readings, from 10.0 s to 20.5 s: the GPU has fallen off the bus", Why());
  SaysUntil(60, "failed", "it was unplugged");
  EXPECT_EQ(
      "since 30.0 s: it was unplugged; failed in 4 of 120 readings, from 10.0 s to 20.5 s: the GPU has fallen off the "
      "bus",
      Why());
}

// One that reads a part of what it should is not ok, and other things may befall it all the same.
TEST_F(SensorStoryTest, TellsEveryTroubleApart) {
  SaysUntil(10, "forbidden", "gpu_power_w: root alone");
  SaysUntil(11, "failed", "gpu_util_percent: 300 % cannot be true");
  SaysUntil(20, "forbidden", "gpu_power_w: root alone");
  EXPECT_EQ("forbidden", State());
  EXPECT_EQ(
      "since 11.0 s: gpu_power_w: root alone; forbidden in 20 of 40 readings, from 0.0 s to 9.5 s: gpu_power_w: root "
      "alone; failed in 2 of 40 readings, from 10.0 s to 10.5 s: gpu_util_percent: 300 % cannot be true",
      Why());
}

TEST_F(SensorStoryTest, TellsOfAnswersThatWereWaitedFor) {
  SaysUntil(10.5, "ok");
  story_.Slow(10, 1.2);
  SaysUntil(20.5, "ok");
  story_.Slow(20, 1.7);
  SaysUntil(30, "ok");
  EXPECT_EQ("ok", State());
  EXPECT_EQ("slow in 2 of 60 readings, from 10.0 s to 20.0 s: it did not answer for 1.7 s", Why());
}

}  // namespace
}  // namespace fleetmark
