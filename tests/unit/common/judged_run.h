#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "common/telemetry.h"
#include "common/verdict.h"
#include "common/vocabulary.h"
#include "fleetmark/v1/run.pb.h"

// A run against which nothing speaks, and what to change of it.
namespace fleetmark {

inline constexpr int kPoints = 20;
inline constexpr float kUnknown = std::numeric_limits<float>::quiet_NaN();

inline void Show(v1::Result* result, const telemetry::SeriesName& name, float value) {
  v1::TelemetrySeries* series = result->mutable_telemetry()->add_series();
  series->set_name(name.name);
  for (int i = 0; i < kPoints; ++i) series->add_values(value);
}

inline v1::Metric* AddMetric(v1::Result* result, const char* name, double value) {
  v1::Metric* metric = result->add_metrics();
  metric->set_name(name);
  metric->set_value(value);
  return metric;
}

// Ten seconds on two CPUs with nobody else: 100 steps of 0.1 s.
inline v1::Result GoodRun() {
  v1::Result result;
  result.set_primary_metric("it_per_s");
  v1::Metric* rate = AddMetric(&result, "it_per_s", 10);
  rate->set_ci_low(9.9);
  rate->set_ci_high(10.1);
  v1::Samples* samples = result.add_samples();
  samples->set_name("step_s");
  for (int i = 0; i < 100; ++i) samples->add_values(0.1);
  result.mutable_summary()->set_measured_s(10);
  result.mutable_summary()->set_is_steady(true);
  result.mutable_steadiness()->set_burst_it_per_s(10.1);
  result.mutable_steadiness()->set_sustained_it_per_s(10);
  result.mutable_environment()->set_cpu_count(2);
  v1::Telemetry* telemetry = result.mutable_telemetry();
  telemetry->set_interval_s(0.5);
  telemetry->set_measured_from_s(0);
  telemetry->set_measured_until_s(10.01);
  for (int i = 1; i <= kPoints; ++i) telemetry->add_at_s(0.5 * i);
  result.mutable_environment()->set_runtime(kOwnRuntime);
  Show(&result, telemetry::kWorkerCpu, 195);
  Show(&result, telemetry::kOtherCpu, 1);
  return result;
}

inline void ExpectVerdict(const v1::Result& result, const std::string& kind, const std::string& cause,
                          const std::string& words) {
  const v1::Verdict verdict = Judge(result);
  EXPECT_EQ(kind, verdict.kind());
  EXPECT_EQ(cause, verdict.cause());
  ASSERT_GT(verdict.evidence_size(), 0);
  EXPECT_THAT(verdict.evidence(0), ::testing::HasSubstr(words));
}

}  // namespace fleetmark
