#pragma once

#include <unistd.h>

#include "agent/sampler/nvml_sensor.h"
#include "tests/unit/agent/gpu_sensor_fixture.h"

namespace fleetmark {

inline constexpr char kUuid0[] = "GPU-00000000-0000-0000-0000-000000000000";
inline constexpr char kUuid1[] = "GPU-11111111-1111-1111-1111-111111111111";

// A fake NVML with one GPU, and the sensor that is asked about it.
class NvmlSensorTest : public GpuSensorTest {
 protected:
  NvmlSensorTest()
      : GpuSensorTest("FAKE_NVML", {{"0.uuid", kUuid0},
                                    {"0.util", "37"},
                                    {"0.memory_used", "2000000000"},
                                    {"0.memory_total", "80000000000"},
                                    {"0.sm_mhz", "1980"},
                                    {"0.memory_mhz", "2619"},
                                    {"0.celsius", "61"},
                                    {"0.milliwatts", "350500"},
                                    {"0.reasons", "0"},
                                    {"0.samples", ""}}) {
    subject_ = {getpid(), "cuda:0", kUuid0};
    sensor_.Begin(subject_);
  }

  SensorSubject subject_;
  NvmlSensor sensor_{FAKE_NVML};
};

}  // namespace fleetmark
