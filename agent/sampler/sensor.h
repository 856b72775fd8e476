#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/telemetry.h"
#include "fleetmark/v1/run.pb.h"

namespace fleetmark {

// One quantity as a sensor read it at one moment. What it could not read it leaves out: never a 0 for unknown.
struct Reading {
  std::string name;  // of common/telemetry.h, with ".N" for one CPU
  std::string unit;
  double value = 0;
};

// What a sensor is asked about.
struct SensorSubject {
  int worker_pid = 0;       // leader of the worker's process group; its descendants belong to it
  std::string device;       // the run's: "cpu", "cuda:0"
  std::string device_uuid;  // as Device.uuid
};

// A source of readings: the kernel's /proc, a driver's library. Each is read by a thread of its own, so that one that
// hangs holds up nobody. Rates are over the time since the read before; the first read after Begin gives none.
class Sensor {
 public:
  virtual ~Sensor() = default;
  virtual const char* name() const = 0;  // "proc", "cpufreq", "hwmon", "rapl", "nvml", "rocm_smi", "amdgpu"
  // A new subject: forgets what rates were counted from.
  virtual void Begin(const SensorSubject& subject) = 0;
  // Appends what it can read now and says how it is: "ok", "absent" (the machine has none), "forbidden" or "failed",
  // with one sentence of why unless ok. It may be another at each call: sensors appear and vanish.
  virtual v1::Sensor Read(double now_s, std::vector<Reading>* readings) = 0;
};

}  // namespace fleetmark
