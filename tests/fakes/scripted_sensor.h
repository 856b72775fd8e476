#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "agent/sampler/sensor.h"

namespace fleetmark {

inline v1::Sensor SensorSaid(const std::string& state, const std::string& why = "") {
  v1::Sensor sensor;
  sensor.set_state(state);
  sensor.set_why(why);
  return sensor;
}

// What a test sees and steers of all sensors of one name. Thread-safe.
class SensorScript {
 public:
  // What its `count`-th reading is, from 1.
  using Reader = std::function<v1::Sensor(int count, std::vector<Reading>* readings)>;
  SensorScript(std::string name, Reader reader) : name_(std::move(name)), reader_(std::move(reader)) {}

  const std::string& name() const { return name_; }
  void Hold() {
    const std::lock_guard lock(mutex_);
    is_held_ = true;
  }
  // The same for those that end.
  void HoldAtEnd() {
    const std::lock_guard lock(mutex_);
    is_held_at_end_ = true;
  }
  void Release() {
    const std::lock_guard lock(mutex_);
    is_held_ = false;
    is_held_at_end_ = false;
    released_.notify_all();
  }
  int reads() const {
    const std::lock_guard lock(mutex_);
    return static_cast<int>(read_at_s_.size());
  }
  int begins() const {
    const std::lock_guard lock(mutex_);
    return begins_;
  }
  int ends() const {
    const std::lock_guard lock(mutex_);
    return ends_;
  }
  std::vector<double> read_at_s() const {
    const std::lock_guard lock(mutex_);
    return read_at_s_;
  }
  SensorSubject subject() const {
    const std::lock_guard lock(mutex_);
    return subject_;
  }

  void Begin(const SensorSubject& subject) {
    const std::lock_guard lock(mutex_);
    ++begins_;
    subject_ = subject;
  }
  v1::Sensor Read(double now_s, std::vector<Reading>* readings) {
    std::unique_lock lock(mutex_);
    read_at_s_.push_back(now_s);
    const auto count = static_cast<int>(read_at_s_.size());
    released_.wait(lock, [this] { return !is_held_; });
    v1::Sensor said = reader_(count, readings);
    said.set_name(name_);
    return said;
  }
  void End() {
    std::unique_lock lock(mutex_);
    released_.wait(lock, [this] { return !is_held_at_end_; });
    ++ends_;
  }

 private:
  const std::string name_;
  const Reader reader_;
  mutable std::mutex mutex_;
  std::condition_variable released_;
  bool is_held_ = false;
  bool is_held_at_end_ = false;
  int begins_ = 0;
  int ends_ = 0;
  std::vector<double> read_at_s_;
  SensorSubject subject_;
};

class ScriptedSensor final : public Sensor {
 public:
  explicit ScriptedSensor(std::shared_ptr<SensorScript> script) : script_(std::move(script)) {}
  const char* name() const override { return script_->name().c_str(); }
  void Begin(const SensorSubject& subject) override { script_->Begin(subject); }
  v1::Sensor Read(double now_s, std::vector<Reading>* readings) override { return script_->Read(now_s, readings); }
  void End() override { script_->End(); }

 private:
  const std::shared_ptr<SensorScript> script_;
};

}  // namespace fleetmark
