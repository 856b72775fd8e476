#include "common/machine_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/common/judged_run.h"

namespace fleetmark {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(MachineChecksTest, WithoutTelemetryNothingIsCertified) {
  v1::Result result = GoodRun();
  result.clear_telemetry();
  ExpectVerdict(result, "UNCHECKED", "", "not known: there is no telemetry of this run");
}

TEST(MachineChecksTest, ARunTooShortForTelemetryIsUnchecked) {
  v1::Result result = GoodRun();
  result.mutable_telemetry()->set_measured_from_s(9);
  result.mutable_summary()->set_measured_s(1);
  EXPECT_EQ("UNCHECKED", Judge(result).kind());
  EXPECT_THAT(Judge(result).evidence(), Contains("not known: the measured part has too little telemetry"));
}

TEST(MachineChecksTest, ASensorThatIsMissingIsNamed) {
  v1::Result result = GoodRun();
  v1::Sensor* sensor = result.mutable_telemetry()->add_sensors();
  sensor->set_name("rapl");
  sensor->set_state("forbidden");
  sensor->set_why("only root may read it");
  EXPECT_THAT(Judge(result).evidence(), Contains("not known: sensor rapl forbidden: only root may read it"));
}

TEST(MachineChecksTest, WhatASensorDidNotTellForAWhileIsSaid) {
  v1::Result result = GoodRun();
  v1::Sensor* sensor = result.mutable_telemetry()->add_sensors();
  sensor->set_name("nvml");
  sensor->set_state("ok");
  EXPECT_THAT(Judge(result).evidence(), Not(Contains(HasSubstr("nvml"))));
  sensor->set_why("failed 3 of 20 readings");
  EXPECT_THAT(Judge(result).evidence(), Contains("not known: sensor nvml: failed 3 of 20 readings"));
}

// The worker's and others' CPU time alone, at the first `known` points.
void ForgetAllBut(int known, v1::Result* result) {
  for (v1::TelemetrySeries& series : *result->mutable_telemetry()->mutable_series()) {
    for (int i = known; i < kPoints; ++i) series.set_values(i, kUnknown);
  }
}

TEST(MachineChecksTest, AFewPointsOfALongRunCertifyNothing) {
  v1::Result result = GoodRun();
  ForgetAllBut(7, &result);
  EXPECT_EQ("OK", Judge(result).kind()) << "more than a third of it";
  ForgetAllBut(5, &result);
  ExpectVerdict(result, "UNCHECKED", "", "not known: the measured part has too little telemetry");
  EXPECT_THAT(Judge(result).evidence(),
              Contains("not known: what other processes did was seen for 25 % of the measured part alone"));
  for (int i = 0; i < 5; ++i) result.mutable_telemetry()->mutable_series(1)->set_values(i, 100);
  EXPECT_EQ("INTERFERED", Judge(result).kind()) << "what was seen counts";
}

v1::Result GoodRunOnAGpu() {
  v1::Result result = GoodRun();
  v1::Device* device = result.mutable_environment()->mutable_device();
  device->set_kind("cuda");
  device->set_name("cuda:0");
  Show(&result, telemetry::kGpuUtil, 95);
  Show(&result, telemetry::kGpuHeatThrottle, 0);
  Show(&result, telemetry::kGpuOtherUtil, 0);
  return result;
}

TEST(MachineChecksTest, ARunOnAGpuThatNobodyWatchedIsUnchecked) {
  v1::Result result = GoodRunOnAGpu();
  EXPECT_EQ("OK", Judge(result).kind());
  EXPECT_THAT(Judge(result).evidence(), Contains("in order: the GPU says that it did not slow itself down"));
  while (result.telemetry().series_size() > 2) result.mutable_telemetry()->mutable_series()->RemoveLast();
  ExpectVerdict(result, "UNCHECKED", "", "not known: there is no telemetry of cuda:0, which did the work");
  EXPECT_THAT(Judge(result).evidence(), Contains("not known: whether the GPU slowed itself down was not seen"));
  EXPECT_THAT(Judge(result).evidence(), Contains("not known: who else used the GPU was not seen"));
}

TEST(MachineChecksTest, HeatIsNeverSaidToBeInOrder) {
  v1::Result result = GoodRunOnAGpu();
  const int heat = result.telemetry().series_size() - 2;
  const auto told = [&] { return Judge(result).evidence(); };
  result.mutable_telemetry()->mutable_series(heat)->set_values(0, 0.8F);
  EXPECT_EQ("OK", Judge(result).kind());
  EXPECT_THAT(told(), Not(Contains(HasSubstr("did not slow itself down"))));
  EXPECT_THAT(told(), Contains("in order: the GPU slowed itself down because of heat during no more than 4 % of the "
                               "measured part"));
  for (int i = 0; i < kPoints; ++i) result.mutable_telemetry()->mutable_series(heat)->set_values(i, 1);
  EXPECT_EQ("THROTTLED", Judge(result).kind());
  EXPECT_THAT(told(), Not(Contains(HasSubstr("did not slow itself down"))));
}

TEST(MachineChecksTest, WhatWasSeenOfAGpuForAMomentIsNotInOrder) {
  v1::Result result = GoodRunOnAGpu();
  for (const int series : {3, 4}) {
    for (int i = 5; i < kPoints; ++i) result.mutable_telemetry()->mutable_series(series)->set_values(i, kUnknown);
  }
  EXPECT_THAT(Judge(result).evidence(),
              Contains("not known: whether the GPU slowed itself down was seen for 25 % of the measured part alone"));
  EXPECT_THAT(Judge(result).evidence(),
              Contains("not known: who else used the GPU was seen for 25 % of the measured part alone"));
  EXPECT_THAT(Judge(result).evidence(), Not(Contains(StartsWith("in order: the GPU"))));
}

TEST(MachineChecksTest, AGpuNeighbourExplainsAClockThatFell) {
  v1::Result result = GoodRunOnAGpu();
  result.mutable_steadiness()->set_burst_it_per_s(11);
  Show(&result, telemetry::kGpuClock, 1500);
  for (int i = 10; i < 20; ++i) result.mutable_telemetry()->mutable_series()->rbegin()->set_values(i, 1000);
  ExpectVerdict(result, "THROTTLED", "clock", "the GPU's clock fell from 1500 to 1000 MHz");
  Show(&result, telemetry::kGpuOtherUtil, 30);
  result.mutable_telemetry()->mutable_series()->SwapElements(4, 6);
  ExpectVerdict(result, "INTERFERED", "GPU shared", "other processes kept the GPU busy for 30 %");
}

TEST(MachineChecksTest, OthersUnknownAreNotOthersAbsent) {
  v1::Result result = GoodRun();
  result.mutable_telemetry()->clear_series();
  Show(&result, telemetry::kOtherCpu, kUnknown);
  EXPECT_EQ("UNCHECKED", Judge(result).kind()) << "points without values are no telemetry";
  Show(&result, telemetry::kCpu, 100);
  EXPECT_EQ("OK", Judge(result).kind());
  EXPECT_THAT(Judge(result).evidence(), Contains("not known: what other processes did was not seen"));
}

TEST(MachineChecksTest, OthersAreComparedWithTheWholeMachineAndNotWithTheWorkersCpus) {
  v1::Result result = GoodRun();
  for (int cpu = 0; cpu < 64; ++cpu) {
    Show(&result, {(telemetry::kCpu.name + ("." + std::to_string(cpu))).c_str(), "%"}, 3);
  }
  for (int i = 0; i < kPoints; ++i) result.mutable_telemetry()->mutable_series(1)->set_values(i, 50);
  EXPECT_EQ("OK", Judge(result).kind()) << "half of one CPU of 64 beside a worker with two";
}

TEST(MachineChecksTest, TheClockOfIdleCpusBesideAGpuIsNoEvidence) {
  v1::Result result = GoodRun();
  result.mutable_steadiness()->set_burst_it_per_s(11);
  Show(&result, telemetry::kCpuClock, 3000);
  for (int i = 10; i < 15; ++i) result.mutable_telemetry()->mutable_series(2)->set_values(i, 1500);
  ExpectVerdict(result, "THROTTLED", "clock", "the CPU's clock fell from 3000 to 1500 MHz");
  Show(&result, telemetry::kGpuUtil, 95);
  EXPECT_EQ("OK", Judge(result).kind());
}

TEST(MachineChecksTest, TheGravestDecidesAndTheOthersAreTold) {
  v1::Result result = GoodRun();
  Show(&result, telemetry::kGpuHeatThrottle, 1);
  Show(&result, telemetry::kGpuTemperature, 91);
  result.mutable_telemetry()->mutable_series(1)->set_values(0, 1);
  for (int i = 0; i < kPoints; ++i) result.mutable_telemetry()->mutable_series(1)->set_values(i, 100);
  ExpectVerdict(result, "THROTTLED", "heat",
                "slowed itself down because of heat during 100 % of the measured part, at up to 91");
  EXPECT_THAT(Judge(result).evidence(), Contains(StartsWith("other processes used 100 % of a CPU")));
}

}  // namespace
}  // namespace fleetmark
