#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/sampler/cost.h"
#include "agent/sampler/sensor.h"
#include "fleetmark/v1/run.pb.h"

namespace fleetmark {

// Samples the machine beside runs, each with sensors and threads of its own: none exist while no run is on. A sensor
// that hangs holds up nobody; its thread is left to itself, and no other is given to a sensor of that name until it
// comes back. Thread-safe; must outlive its recordings, not their threads.
class Sampler {
 public:
  static constexpr double kUsualIntervalS = 0.25;
  struct Options {
    std::function<std::vector<std::unique_ptr<Sensor>>(const SensorSubject&)> make_sensors;
    double interval_s = kUsualIntervalS;
    // What ends before is not sampled, and costs little.
    double first_read_s = 0.05;
    // After as long without an answer a sensor hangs, and is not asked again.
    double hang_s = 2;
    // How soon a sensor that had nothing to say is asked again.
    double absent_interval_s = 2;
  };
  explicit Sampler(Options options) : options_(std::move(options)) {}

  // What all threads of one recording share.
  struct Session;

  // Of one run. Thread-safe.
  class Recording {
   public:
    // As Finish.
    ~Recording();
    // Begins to read every sensor: the run's start, from which its times count. Does nothing after Finish.
    void Start(const SensorSubject& subject);
    // Ends it, without waiting for a sensor that is just being read, and hands over what was read. One that does not
    // end is given up after `hang_s`. For one call.
    v1::Telemetry Finish();

   private:
    friend class Sampler;
    Recording(Sampler* sampler, std::optional<BlockSchedule> blocks);
    Sampler& sampler_;
    const std::shared_ptr<Session> session_;
  };
  // With `blocks` sensors are read in those alone that are on.
  std::unique_ptr<Recording> Record(std::optional<BlockSchedule> blocks = std::nullopt);

 private:
  // Sensors that hang since an earlier run: the name that each began with, and the one that it has.
  std::map<std::string, std::string> StillHanging();

  const Options options_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<Session>> unfinished_;  // whose recording ended before all their sensors did
};

}  // namespace fleetmark
