#include "coordinator/cli/render/evidence_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <sstream>

#include "coordinator/cli/render/telemetry_text.h"
#include "tests/unit/cli/sample_evidence.h"
#include "tests/unit/cli/sample_runs.h"

namespace fleetmark {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

v1::Telemetry Sample() {
  v1::Result result;
  AddSampleEvidence(&result);
  return result.telemetry();
}

// The line that begins with `name`.
std::string LineOf(const std::string& text, const std::string& name) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name + " ")) return line;
  }
  return "";
}

TEST(TelemetryText, IsOfTheMeasuredPartAndLeavesOutWhatWasUnknown) {
  const std::string text = RenderTelemetry(Sample(), Terminal());
  EXPECT_THAT(LineOf(text, "cpu_percent"), ContainsRegex("192 +190 +195 +% +4$")) << text;
  EXPECT_THAT(LineOf(text, "other_cpu_percent"), ContainsRegex("2.188 +1.500 +3 +% +4$")) << text;
  EXPECT_THAT(LineOf(text, "disk_read_bytes_per_s"), ContainsRegex("0 B/s +0 B/s +0 B/s +5$")) << "a known 0 is one";
  EXPECT_THAT(LineOf(text, "sampled"), HasSubstr("5 points in the measured part, from 1.500 s to 4 s"));
}

TEST(TelemetryText, ASeriesThatWasNeverKnownIsUnknown) {
  const std::string text = RenderTelemetry(Sample(), Terminal());
  EXPECT_THAT(LineOf(text, "cpu_temperature_c"), ContainsRegex("cpu_temperature_c +unknown$")) << text;
  EXPECT_THAT(text, Not(HasSubstr("nan")));
}

TEST(TelemetryText, SeriesOfSingleCpusAreOneLine) {
  v1::Telemetry telemetry = Sample();
  const std::string text = RenderTelemetry(telemetry, Terminal());
  EXPECT_THAT(LineOf(text, "cpu_percent.*"), ContainsRegex("93\\.\\.99 +90 +100 +% +2 CPUs$")) << text;
  EXPECT_EQ(LineOf(text, "cpu_percent.0"), "");
  for (v1::TelemetrySeries& series : *telemetry.mutable_series()) {
    for (float& value : *series.mutable_values()) value = std::numeric_limits<float>::quiet_NaN();
  }
  EXPECT_THAT(LineOf(RenderTelemetry(telemetry, Terminal()), "cpu_percent.*"), ContainsRegex("unknown$"));
}

TEST(TelemetryText, SensorsThatWereNotReadSayWhy) {
  const std::string text = RenderTelemetry(Sample(), Terminal());
  EXPECT_THAT(text, AllOf(HasSubstr("proc, cpufreq\n"), HasSubstr("absent: this machine has no NVIDIA driver"),
                          HasSubstr("forbidden: /sys/class/powercap")));
  EXPECT_THAT(LineOf(text, "cost"), HasSubstr("+0.12 % longer with sampling than without, 95 % interval [-0.21 %, "));
  v1::Telemetry unmeasured = Sample();
  unmeasured.clear_cost();
  EXPECT_EQ(LineOf(RenderTelemetry(unmeasured, Terminal()), "cost"), "");
}

TEST(TelemetryText, ASensorThatFailedForAWhileSaysSo) {
  v1::Telemetry telemetry = Sample();
  ASSERT_EQ("proc", telemetry.sensors(0).name());
  EXPECT_EQ(LineOf(RenderTelemetry(telemetry, Terminal()), "but proc"), "");
  telemetry.mutable_sensors(0)->set_why("failed in 3 of 20 readings");
  EXPECT_THAT(LineOf(RenderTelemetry(telemetry, Terminal()), "but proc"), HasSubstr("failed in 3 of 20 readings"));
}

TEST(TelemetryText, SaysWhenTheWorkerNeverSaidWhatItMeasured) {
  v1::Telemetry telemetry = Sample();
  telemetry.clear_measured_from_s();
  telemetry.clear_measured_until_s();
  EXPECT_THAT(RenderTelemetry(telemetry, Terminal()), HasSubstr("10 points in the measured part, which is all"));
}

TEST(EvidenceText, TelemetryThatIsMissingSaysWhy) {
  v1::RunInfo run = SampleSuccess("k3v8q2m0");
  run.mutable_result()->clear_telemetry();
  EXPECT_THAT(RenderEvidence(run, Terminal()), HasSubstr("no telemetry: the agent sent none\n"));
  run.set_telemetry("off");
  EXPECT_THAT(RenderEvidence(run, Terminal()), HasSubstr("no telemetry: it was switched off\n"));
}

TEST(EvidenceText, ARunTooShortToTellSaysSo) {
  v1::RunInfo run = SampleSuccess("k3v8q2m0");
  v1::Result& result = *run.mutable_result();
  result.mutable_steadiness()->Clear();
  result.mutable_steadiness()->set_sustained_it_per_s(42.47);
  result.mutable_summary()->clear_is_steady();
  const std::string text = RenderEvidence(run, Terminal());
  for (const char* name : {"burst", "drift", "change", "steady"}) {
    EXPECT_THAT(LineOf(text, name), HasSubstr("unknown: too few samples to tell")) << name;
  }
  EXPECT_THAT(LineOf(text, "sustained"), ContainsRegex("42.47 it/s$"));
  result.clear_steadiness();
  EXPECT_THAT(RenderEvidence(run, Terminal()), HasSubstr("unknown: this result came without it"));
}

TEST(EvidenceText, StepTimesThatAreNoneSaySo) {
  for (const double bad : {0.0, -1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    v1::RunInfo run = SampleSuccess("k3v8q2m0");
    v1::Result& result = *run.mutable_result();
    result.mutable_steadiness()->Clear();
    result.mutable_summary()->clear_is_steady();
    v1::Samples& samples = *result.add_samples();
    samples.set_name("step_s");
    for (int i = 0; i < 200; ++i) samples.add_values(i == 3 ? bad : 0.1);
    const std::string text = RenderEvidence(run, Terminal());
    for (const char* name : {"burst", "sustained", "drift", "change", "steady"}) {
      EXPECT_THAT(LineOf(text, name), HasSubstr("unknown: a step time is zero, negative or not finite")) << name << bad;
    }
  }
}

TEST(EvidenceText, ShowsHowTheSpeedWent) {
  v1::RunInfo run = SampleSuccess("k3v8q2m0");
  std::string text = RenderEvidence(run, Terminal());
  EXPECT_THAT(LineOf(text, "sustained"), HasSubstr("42.47 it/s, 96.3 % of burst"));
  EXPECT_THAT(LineOf(text, "change"), HasSubstr("at 11.20 s, sample 120: 22.70 ms a step before, 24.10 ms after"));
  EXPECT_THAT(LineOf(text, "steady"), ContainsRegex("yes$"));
  EXPECT_THAT(LineOf(text, "warm-up"), HasSubstr("37 steps left out, 17 of them found"));
  run.mutable_result()->mutable_summary()->set_is_steady(false);
  run.mutable_result()->mutable_steadiness()->clear_change_points();
  text = RenderEvidence(run, Terminal());
  EXPECT_THAT(LineOf(text, "steady"), HasSubstr("no: step times did not settle"));
  EXPECT_THAT(LineOf(text, "change"), HasSubstr("none found (looked for in 50"));
}

TEST(EvidenceText, ComparesTheResultWithEachCeiling) {
  v1::RunInfo run = SampleSuccess("k3v8q2m0");
  EXPECT_THAT(LineOf(RenderEvidence(run, Terminal()), "arithmetic"),
              ContainsRegex("fp32 +1.600 TFLOP/s +1.200 TFLOP/s +75.0 % "));
  EXPECT_THAT(LineOf(RenderEvidence(run, Terminal()), "memory"), ContainsRegex("memory +31.25 GB/s +20"))
      << "this run has no such rate";
  run.mutable_result()->mutable_ceilings(1)->set_rate(0);
  EXPECT_THAT(LineOf(RenderEvidence(run, Terminal()), "arithmetic"), HasSubstr("unknown"));
}

}  // namespace
}  // namespace fleetmark
