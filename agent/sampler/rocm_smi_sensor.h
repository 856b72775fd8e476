#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "agent/sampler/gpu_library_sensor.h"
#include "agent/sampler/rocm_smi_api.h"

namespace fleetmark {

// The run's AMD GPU (ChooseAmdGpu), through ROCm SMI: use, memory, clocks, temperature, power and what holds its clock
// back. Its states are NvmlSensor's.
class RocmSmiSensor : public GpuLibrarySensor {
 public:
  static constexpr char kName[] = "rocm_smi";

  explicit RocmSmiSensor(std::string library);
  RocmSmiSensor(const RocmSmiSensor&) = delete;
  RocmSmiSensor& operator=(const RocmSmiSensor&) = delete;
  ~RocmSmiSensor() override;
  const char* name() const override { return kName; }

 protected:
  Status Connect(const SensorSubject& subject) override;
  bool Ask(GpuReport* report) override;
  void Disconnect() override;

 private:
  const std::string library_;
  std::optional<rocm_smi::Api> api_;
  bool is_initialized_ = false;
  uint32_t version_ = 0;  // major; 0 where the library does not say
  uint32_t gpu_ = 0;
};

}  // namespace fleetmark
