#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/sampler/sampler.h"
#include "tests/fakes/scripted_sensor.h"
#include "tests/unit/agent/agent_fixture.h"

namespace fleetmark {

// Sensors that do as a test says, and what a recording says of them.
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
    ASSERT_TRUE(agent::WaitUntil([&] { return script->reads() >= enough; })) << script->name() << " is not read";
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

inline constexpr double kNever = 1000;  // for tests in which nothing hangs, on whatever machine
inline const SensorSubject kSubject = {42, "cuda:0", "GPU-0"};

}  // namespace fleetmark
