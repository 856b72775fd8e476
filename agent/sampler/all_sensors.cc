#include "agent/sampler/all_sensors.h"

#include "agent/sampler/host_sensors.h"

namespace fleetmark {

std::vector<std::unique_ptr<Sensor>> MakeSensors() {
  std::vector<std::unique_ptr<Sensor>> sensors;
  sensors.push_back(MakeProcSensor());
  sensors.push_back(MakeDiskSensor());
  sensors.push_back(MakeNetSensor());
  sensors.push_back(MakeQuotaSensor());
  sensors.push_back(MakeCpuClockSensor());
  sensors.push_back(MakeTemperatureSensor());
  sensors.push_back(MakeHeatThrottleSensor());
  sensors.push_back(MakeRaplSensor());
  return sensors;
}

}  // namespace fleetmark
