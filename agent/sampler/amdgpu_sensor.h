#pragma once

#include <filesystem>
#include <vector>

#include "agent/sampler/sensor.h"
#include "common/status.h"

namespace fleetmark {

// The run's AMD GPU (ChooseAmdGpu), through the files of the amdgpu driver (docs.kernel.org/gpu/amdgpu/thermal.html).
// Everybody may read them; nothing is kept between reads, so that a GPU may come and go.
class AmdgpuSensor : public Sensor {
 public:
  // `drm` is /sys/class/drm or a copy of it.
  explicit AmdgpuSensor(std::filesystem::path drm);
  const char* name() const override { return "amdgpu"; }
  void Begin(const SensorSubject& subject) override { subject_ = subject; }
  v1::Sensor Read(double now_s, std::vector<Reading>* readings) override;

 private:
  // The directory of its files.
  StatusOr<std::filesystem::path> FindDevice() const;

  const std::filesystem::path drm_;
  SensorSubject subject_;
};

}  // namespace fleetmark
