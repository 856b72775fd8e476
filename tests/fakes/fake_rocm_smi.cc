// A librocm_smi64 that behaves as the file says that FAKE_ROCM_SMI names (behaviour_file.h). GPU N has the lines "N.id"
// (its unique id, or 0 for one without), "N.busy", "N.vram", "N.hz" (its second clock, which is the current one),
// "N.millicelsius", "N.edge_millicelsius", "N.microwatts", "N.average_microwatts", "N.throttling". With a line "lost"
// its GPUs are gone; without it they come back when it is initialised anew; with "count N" it counts N GPUs. To be
// loaded is its function "load", and makes FILE.loaded. FAKE_ROCM_SMI_OLD makes the library of ROCm 5.
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include "agent/sampler/rocm_smi_api.h"
#include "tests/fakes/behaviour_file.h"

namespace {

using fleetmark::BehaviourFile;
namespace rocm_smi = fleetmark::rocm_smi;

constexpr char kVariable[] = "FAKE_ROCM_SMI";
constexpr int kFileError = 3;  // RSMI_STATUS_FILE_ERROR

std::atomic<int> users = 0;
std::atomic<bool> is_lost = false;

[[gnu::constructor]] void Load() {
  const char* const path = std::getenv(kVariable);
  if (path == nullptr) return;
  std::ofstream(std::string(path) + ".loaded").flush();
  BehaviourFile(kVariable).Enter("load");
}

template <typename Number>
int Answer(const char* function, uint32_t gpu, const std::string& key, Number* value) {
  BehaviourFile behaviour(kVariable);
  const int code = behaviour.Enter(function);
  const std::string line = std::to_string(gpu) + "." + key;
  if (behaviour.Has("lost")) is_lost = true;
  if (users == 0) return rocm_smi::kInitError;
  if (is_lost) return kFileError;
  if (code != 0) return code;
  if (!behaviour.Has(line)) return rocm_smi::kNotSupported;
  *value = static_cast<Number>(behaviour.Number(line));
  return rocm_smi::kSuccess;
}

}  // namespace

extern "C" {

int rsmi_init(uint64_t /*flags*/) {
  const int code = BehaviourFile(kVariable).Enter("rsmi_init");
  if (code != 0) return code;
  ++users;
  is_lost = false;
  return 0;
}
int rsmi_shut_down() {
  --users;
  return 0;
}
int rsmi_status_string(int status, const char** text) {
  *text = status == kFileError ? "Problem accessing a file" : "An unknown error occurred";
  return 0;
}
int rsmi_num_monitor_devices(uint32_t* count) {
  BehaviourFile behaviour(kVariable);
  const bool is_there = !behaviour.Has("lost");
  for (*count = 0; is_there && behaviour.Has(std::to_string(*count) + ".id");) ++*count;
  if (behaviour.Has("count")) *count = static_cast<uint32_t>(behaviour.Number("count"));
  return behaviour.Enter("rsmi_num_monitor_devices");
}
int rsmi_dev_unique_id_get(uint32_t gpu, uint64_t* id) {
  const int code = Answer("rsmi_dev_unique_id_get", gpu, "id", id);
  return code == 0 && *id == 0 ? rocm_smi::kNotSupported : code;
}
int rsmi_dev_busy_percent_get(uint32_t gpu, uint32_t* percent) {
  return Answer("rsmi_dev_busy_percent_get", gpu, "busy", percent);
}
int rsmi_dev_memory_usage_get(uint32_t gpu, int type, uint64_t* bytes) {
  return type == rocm_smi::kMemoryVram ? Answer("rsmi_dev_memory_usage_get", gpu, "vram", bytes) : 1;
}
int rsmi_dev_temp_metric_get(uint32_t gpu, uint32_t sensor, int /*metric*/, int64_t* millicelsius) {
  return Answer("rsmi_dev_temp_metric_get", gpu,
                sensor == rocm_smi::kTemperatureJunction ? "millicelsius" : "edge_millicelsius", millicelsius);
}
int rsmi_dev_power_ave_get(uint32_t gpu, uint32_t /*sensor*/, uint64_t* microwatts) {
  return Answer("rsmi_dev_power_ave_get", gpu, "average_microwatts", microwatts);
}

#ifdef FAKE_ROCM_SMI_OLD
using Frequencies = rocm_smi::FrequenciesBefore6;
constexpr uint32_t kMajor = 5;
#else
using Frequencies = rocm_smi::Frequencies;
constexpr uint32_t kMajor = 7;

int rsmi_dev_current_socket_power_get(uint32_t gpu, uint64_t* microwatts) {
  return Answer("rsmi_dev_current_socket_power_get", gpu, "microwatts", microwatts);
}
#endif

int rsmi_dev_gpu_metrics_info_get(uint32_t gpu, rocm_smi::GpuMetrics* metrics) {
  uint64_t reasons = 0;
  const int code = Answer("rsmi_dev_gpu_metrics_info_get", gpu, "throttling", &reasons);
  if (code != 0) return code;
  metrics->bytes[2] = 1;
  metrics->bytes[3] = 3;
  // Before version 6 the structure ended before this.
  if (kMajor >= 6) std::memcpy(metrics->bytes + 112, &reasons, sizeof reasons);
  return 0;
}

int rsmi_version_get(rocm_smi::Version* version) {
  *version = {kMajor, 0, 0, "0"};
  return BehaviourFile(kVariable).Enter("rsmi_version_get");
}
int rsmi_dev_gpu_clk_freq_get(uint32_t gpu, int /*clock*/, Frequencies* frequencies) {
  frequencies->count = 3;
  frequencies->current = 1;
  frequencies->hz[0] = 1;
  frequencies->hz[2] = 3;
  return Answer("rsmi_dev_gpu_clk_freq_get", gpu, "hz", &frequencies->hz[1]);
}

}  // extern "C"
