#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/sampler/sensor.h"
#include "tests/fakes/fake_machine.h"

namespace fleetmark {

// One sensor on a made-up machine, asked about worker kWorker.
class SensorTest : public testing::Test {
 protected:
  static constexpr int kWorker = 100;
  struct Answer {
    v1::Sensor said;
    std::map<std::string, double> values;
  };
  void Begin(std::unique_ptr<Sensor> sensor) {
    sensor_ = std::move(sensor);
    sensor_->Begin({kWorker, "cpu", "cpu"});
  }
  Answer ReadAt(double now_s) {
    std::vector<Reading> readings;
    Answer answer = {sensor_->Read(now_s, &readings), {}};
    EXPECT_STREQ(sensor_->name(), answer.said.name().c_str());
    EXPECT_EQ(answer.said.state() == "ok", answer.said.why().empty()) << answer.said.why();
    for (const Reading& reading : readings) answer.values[reading.name] = reading.value;
    return answer;
  }
  FakeMachine machine_;
  std::unique_ptr<Sensor> sensor_;
};

}  // namespace fleetmark
