#include "agent/sampler/all_sensors.h"

#include "agent/sampler/amd_sensor.h"
#include "agent/sampler/gpu_report.h"
#include "agent/sampler/host_sensors.h"
#include "agent/sampler/nvml_sensor.h"

namespace fleetmark {

std::vector<std::unique_ptr<Sensor>> MakeSensors(const SensorSubject& subject) {
  std::vector<std::unique_ptr<Sensor>> sensors;
  sensors.push_back(MakeProcSensor());
  sensors.push_back(MakeDiskSensor());
  sensors.push_back(MakeNetSensor());
  sensors.push_back(MakeQuotaSensor());
  sensors.push_back(MakeCpuClockSensor());
  sensors.push_back(MakeTemperatureSensor());
  sensors.push_back(MakeHeatThrottleSensor());
  sensors.push_back(MakeRaplSensor());
  if (!GpuIndex(subject.device)) return sensors;
  // One vendor's, so that of a machine with both no number is the mean of two GPUs: AMD's where its driver alone is
  // there.
  std::error_code error;
  const bool has_amd = std::filesystem::exists("/sys/module/amdgpu", error);
  const bool has_nvidia = std::filesystem::exists("/proc/driver/nvidia", error);
  sensors.push_back(has_amd && !has_nvidia ? MakeAmdSensor() : std::make_unique<NvmlSensor>());
  return sensors;
}

}  // namespace fleetmark
