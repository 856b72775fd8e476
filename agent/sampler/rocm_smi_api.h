#pragma once

#include <cstdint>

#include "agent/sampler/dynamic_library.h"

// What is used of ROCm SMI's C interface, declared anew after AMD's "ROCm SMI library API reference"
// (rocm.docs.amd.com/projects/rocm_smi_lib). Its names are in rocm_smi_api.cc.
namespace fleetmark::rocm_smi {

// rsmi_status_t, an enumeration; of more of them there is something to say than what rsmi_status_string says.
inline constexpr int kSuccess = 0;
inline constexpr int kNotSupported = 2;
inline constexpr int kPermission = 4;
inline constexpr int kInitError = 8;
inline constexpr int kNotYetImplemented = 9;

inline constexpr int kClockSystem = 0;  // rsmi_clk_type_t
inline constexpr int kClockMemory = 4;
inline constexpr int kMemoryVram = 0;                // rsmi_memory_type_t
inline constexpr uint32_t kTemperatureEdge = 0;      // rsmi_temperature_type_t
inline constexpr uint32_t kTemperatureJunction = 1;  // the hottest spot of the die
inline constexpr int kTemperatureNow = 0;            // rsmi_temperature_metric_t

struct Version {  // rsmi_version_t
  uint32_t major;
  uint32_t minor;
  uint32_t patch;
  const char* build;
};
// rsmi_frequencies_t got its first member and one more frequency with version 6.
struct Frequencies {
  bool has_deep_sleep;
  uint32_t count;
  uint32_t current;  // index
  uint64_t hz[33];
};
struct FrequenciesBefore6 {
  uint32_t count;
  uint32_t current;
  uint64_t hz[32];
};
static_assert(sizeof(Frequencies) == 280 && sizeof(FrequenciesBefore6) == 264);
// rsmi_gpu_metrics_t grows with each version. From 6 on its beginning is laid out as struct gpu_metrics_v1_3 of the
// kernel (see AddAmdThrottling), and this is several times its size.
inline constexpr uint32_t kFirstWithThrottling = 6;
struct GpuMetrics {
  char bytes[16384];
};

// The functions that `library` has; null where it has none. GPUs are named by index; clocks are in Hz, temperatures in
// 0.001 °C, power in 0.000001 W.
struct Api {
  explicit Api(const DynamicLibrary& library);

  int (*init)(uint64_t flags);
  int (*shut_down)();
  int (*status_string)(int status, const char** text);
  int (*get_version)(Version* version);
  int (*get_count)(uint32_t* count);
  int (*get_unique_id)(uint32_t gpu, uint64_t* id);
  int (*get_busy_percent)(uint32_t gpu, uint32_t* percent);
  int (*get_memory)(uint32_t gpu, int type, uint64_t* bytes);
  int (*get_clock)(uint32_t gpu, int clock, void* frequencies);
  int (*get_temperature)(uint32_t gpu, uint32_t sensor, int metric, int64_t* millicelsius);
  int (*get_socket_power)(uint32_t gpu, uint64_t* microwatts);
  int (*get_average_power)(uint32_t gpu, uint32_t sensor, uint64_t* microwatts);
  int (*get_metrics)(uint32_t gpu, GpuMetrics* metrics);

  // OK, or in words what `code` says: UNIMPLEMENTED of what this GPU does not have, PERMISSION_DENIED, UNAVAILABLE when
  // the library has to be initialised anew, INTERNAL with rsmi_status_string's words.
  Status Explain(int code) const;
};

// What to say of a function that this library lacks.
Status Lacking();

}  // namespace fleetmark::rocm_smi
