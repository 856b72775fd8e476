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
// hangs holds up nobody: that thread alone calls Begin, Read and End. Rates are over the time since the read before;
// the first read after Begin gives none.
class Sensor {
 public:
  virtual ~Sensor() = default;
  // "proc", "cpufreq", "hwmon", "rapl", "nvml", "rocm_smi", "amdgpu". May be asked at any time by any thread, and be
  // another once it is read, when it shows which of several it is.
  virtual const char* name() const = 0;
  // A new subject: forgets what rates were counted from.
  virtual void Begin(const SensorSubject& subject) = 0;
  // Appends what it can read now and says how it is: "ok", "absent" (the machine has none), "forbidden" or "failed",
  // with one sentence of why unless ok. It may be another at each call: sensors appear and vanish.
  virtual v1::Sensor Read(double now_s, std::vector<Reading>* readings) = 0;
  // It is not read any more, or only after another Begin: gives up what may hang as it is given up. Throws nothing.
  virtual void End() {}
};

}  // namespace fleetmark
