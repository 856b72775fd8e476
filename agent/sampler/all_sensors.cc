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
  sensors.push_back(std::make_unique<NvmlSensor>());
  sensors.push_back(MakeAmdSensor());
  return sensors;
}

}  // namespace fleetmark
