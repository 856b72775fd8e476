#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "agent/sampler/sensor.h"
#include "common/files.h"
#include "tests/fakes/temporary_directory.h"

namespace fleetmark {

// A sensor's fake library, whose behaviour (tests/fakes/behaviour_file.h) may change between two calls, and what was
// read last.
class GpuSensorTest : public testing::Test {
 protected:
  using Lines = std::map<std::string, std::string>;

  GpuSensorTest(const char* variable, Lines lines) : lines_(std::move(lines)) {
    setenv(variable, behaviour_path().c_str(), 1);
    WriteBehaviour();
  }

  std::string behaviour_path() const { return (directory_.path() / "behaviour").string(); }
  void Behave(const std::string& key, const std::string& value) {
    lines_[key] = value;
    WriteBehaviour();
  }
  void Forget(const std::string& key) {
    lines_.erase(key);
    WriteBehaviour();
  }
  // Until the function hangs that is told to by "hang".
  void WaitForHang() const {
    const std::string mark = behaviour_path() + ".hangs";
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!std::filesystem::exists(mark) && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    EXPECT_TRUE(std::filesystem::exists(mark));
  }

  v1::Sensor Read(Sensor* sensor, double now_s = 0) {
    std::vector<Reading> readings;
    const v1::Sensor state = sensor->Read(now_s, &readings);
    values_.clear();
    for (const Reading& reading : readings) {
      EXPECT_TRUE(values_.emplace(reading.name, reading.value).second) << reading.name << " is there twice";
    }
    EXPECT_EQ(sensor->name(), state.name());
    return state;
  }

  // What it says of a reading in which `function` hangs, and that comes to its end when the function does.
  v1::Sensor ReadThroughHang(Sensor* sensor, const std::string& function, double now_s = 0) {
    Behave("hang", function);
    auto reading = std::async(std::launch::async, [this, sensor, now_s] { return Read(sensor, now_s); });
    WaitForHang();
    EXPECT_EQ(std::future_status::timeout, reading.wait_for(std::chrono::seconds(0)));
    Forget("hang");
    return reading.get();
  }

  TemporaryDirectory directory_;
  std::map<std::string, double> values_;

 private:
  void WriteBehaviour() const {
    std::string text;
    for (const auto& [key, value] : lines_) text += key + " " + value + "\n";
    ASSERT_TRUE(WriteFileAtomically(behaviour_path(), text).ok());
  }

  Lines lines_;
};

MATCHER_P2(IsState, state, why, std::string("state ") + state) {
  *result_listener << "which says \"" << arg.why() << "\"";
  return arg.state() == state && testing::ExplainMatchResult(why, arg.why(), result_listener);
}

}  // namespace fleetmark
