#pragma once

#include <optional>
#include <string>

#include "agent/sampler/gpu_library_sensor.h"
#include "agent/sampler/nvml_api.h"
#include "agent/sampler/nvml_processes.h"

namespace fleetmark {

// The run's NVIDIA GPU, through NVML: use, memory, clocks, temperature, power, what holds its clock back, and what
// other processes use of it. A function that this version of NVML lacks costs what it tells, and the state is "failed":
// a newer driver would tell. What this GPU does not tell is named and leaves the state "ok".
class NvmlSensor : public GpuLibrarySensor {
 public:
  explicit NvmlSensor(std::string library = "libnvidia-ml.so.1");
  NvmlSensor(const NvmlSensor&) = delete;
  NvmlSensor& operator=(const NvmlSensor&) = delete;
  ~NvmlSensor() override;
  const char* name() const override { return "nvml"; }

 protected:
  Status Connect(const SensorSubject& subject) override;
  bool Ask(GpuReport* report) override;
  void Disconnect() override;

 private:
  // By UUID. A device without one is found only where there is no choice: CUDA's order of GPUs is not NVML's.
  Status FindDevice(const SensorSubject& subject);

  const std::string library_;
  std::optional<nvml::Api> api_;
  bool is_initialized_ = false;
  nvml::Device device_ = nullptr;
  NvmlProcesses processes_;
};

}  // namespace fleetmark
