// A libnvidia-ml that behaves as the file says that FAKE_NVML names (behaviour_file.h). GPU N has the lines "N.uuid",
// "N.util", "N.memory_used", "N.memory_total", "N.sm_mhz", "N.memory_mhz", "N.celsius", "N.milliwatts", "N.reasons",
// "N.processes PID ...", "N.samples PID:TIME_US:PERCENT ...". With a line "lost" its GPUs are gone; without it they
// come back when NVML is initialised anew; with "count N" it counts N GPUs. FAKE_NVML_OLD makes the library of an older
// driver, FAKE_NVML_PROCESS_LIST that of one which lists processes by a newer function alone.
#include <algorithm>
#include <atomic>
#include <sstream>
#include <string>
#include <vector>

#include "agent/sampler/nvml_api.h"
#include "tests/fakes/behaviour_file.h"

namespace {

using fleetmark::BehaviourFile;
using fleetmark::nvml::Device;

constexpr char kVariable[] = "FAKE_NVML";

std::atomic<int> users = 0;
std::atomic<bool> is_lost = false;

// A call that is about `device`, and what its GPU says.
class Call {
 public:
  Call(const char* function, Device device) : behaviour_(kVariable), gpu_(reinterpret_cast<uintptr_t>(device) - 1) {
    code_ = behaviour_.Enter(function);
    if (behaviour_.Has("lost")) is_lost = true;
    if (is_lost) code_ = fleetmark::nvml::kGpuIsLost;
    if (users == 0) code_ = fleetmark::nvml::kUninitialized;
  }
  int code() const { return code_; }
  std::string Text(const std::string& key) const { return behaviour_.Text(std::to_string(gpu_) + "." + key); }
  bool Has(const std::string& key) const { return behaviour_.Has(std::to_string(gpu_) + "." + key); }

  template <typename Number>
  int Answer(const std::string& key, Number* value) const {
    if (code_ != 0) return code_;
    if (!Has(key)) return fleetmark::nvml::kNotSupported;
    *value = static_cast<Number>(behaviour_.Number(std::to_string(gpu_) + "." + key));
    return fleetmark::nvml::kSuccess;
  }

 private:
  BehaviourFile behaviour_;
  uintptr_t gpu_;
  int code_;
};

// Hands out a list as NVML does: how long it is where there is no room for it.
template <typename Entry>
int HandOut(const std::vector<Entry>& list, unsigned* count, Entry* room) {
  const unsigned has_room_for = room == nullptr ? 0 : *count;
  *count = static_cast<unsigned>(list.size());
  if (list.size() > has_room_for) return fleetmark::nvml::kInsufficientSize;
  std::copy(list.begin(), list.end(), room);
  return fleetmark::nvml::kSuccess;
}

Device Handle(uintptr_t gpu) { return reinterpret_cast<Device>(gpu + 1); }

}  // namespace

extern "C" {

int nvmlInit_v2() {
  BehaviourFile behaviour(kVariable);
  const int code = behaviour.Enter("nvmlInit_v2");
  if (code != 0) return code;
  ++users;
  is_lost = false;
  return 0;
}
int nvmlShutdown() {
  --users;
  return 0;
}
const char* nvmlErrorString(int code) { return code == 10 ? "Timeout" : "Unknown Error"; }

int nvmlDeviceGetCount_v2(unsigned* count) {
  const Call call("nvmlDeviceGetCount_v2", nullptr);
  const BehaviourFile behaviour(kVariable);
  for (*count = 0; behaviour.Has(std::to_string(*count) + ".uuid");) ++*count;
  if (behaviour.Has("count")) *count = static_cast<unsigned>(behaviour.Number("count"));
  return call.code();
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, Device* device) {
  *device = Handle(index);
  return Call("nvmlDeviceGetHandleByIndex_v2", *device).code();
}
int nvmlDeviceGetHandleByUUID(const char* uuid, Device* device) {
  for (uintptr_t gpu = 0; Call("", Handle(gpu)).Has("uuid"); ++gpu) {
    const Call call("nvmlDeviceGetHandleByUUID", Handle(gpu));
    *device = Handle(gpu);
    if (call.code() != 0 || call.Text("uuid") == uuid) return call.code();
  }
  return fleetmark::nvml::kNotFound;
}

int nvmlDeviceGetUtilizationRates(Device device, fleetmark::nvml::Utilization* utilization) {
  return Call("nvmlDeviceGetUtilizationRates", device).Answer("util", &utilization->gpu);
}
int nvmlDeviceGetMemoryInfo(Device device, fleetmark::nvml::Memory* memory) {
  const Call call("nvmlDeviceGetMemoryInfo", device);
  const int code = call.Answer("memory_total", &memory->total);
  return code != 0 ? code : call.Answer("memory_used", &memory->used);
}
int nvmlDeviceGetClockInfo(Device device, int clock, unsigned* mhz) {
  return Call("nvmlDeviceGetClockInfo", device)
      .Answer(clock == fleetmark::nvml::kClockSm ? "sm_mhz" : "memory_mhz", mhz);
}
int nvmlDeviceGetTemperature(Device device, int /*sensor*/, unsigned* celsius) {
  return Call("nvmlDeviceGetTemperature", device).Answer("celsius", celsius);
}

#ifdef FAKE_NVML_OLD
int nvmlDeviceGetCurrentClocksThrottleReasons(Device device, unsigned long long* reasons) {
  return Call("nvmlDeviceGetCurrentClocksThrottleReasons", device).Answer("reasons", reasons);
}
#else
int nvmlDeviceGetCurrentClocksEventReasons(Device device, unsigned long long* reasons) {
  return Call("nvmlDeviceGetCurrentClocksEventReasons", device).Answer("reasons", reasons);
}
int nvmlDeviceGetPowerUsage(Device device, unsigned* milliwatts) {
  return Call("nvmlDeviceGetPowerUsage", device).Answer("milliwatts", milliwatts);
}

int nvmlDeviceGetProcessUtilization(Device device, fleetmark::nvml::ProcessSample* room, unsigned* count,
                                    unsigned long long since_us) {
  const Call call("nvmlDeviceGetProcessUtilization", device);
  if (call.code() != 0) return call.code();
  if (!call.Has("samples")) return fleetmark::nvml::kNotSupported;
  std::vector<fleetmark::nvml::ProcessSample> samples;
  std::istringstream words(call.Text("samples"));
  char colon = 0;
  for (fleetmark::nvml::ProcessSample one{}; words >> one.pid >> colon >> one.time_us >> colon >> one.sm;) {
    if (one.time_us > since_us || one.time_us == 0) samples.push_back(one);
  }
  return samples.empty() ? fleetmark::nvml::kNotFound : HandOut(samples, count, room);
}

#ifdef FAKE_NVML_PROCESS_LIST
struct Process {  // nvmlProcessInfo_v2_t and nvmlProcessInfo_t
  unsigned pid;
  unsigned long long memory;
  unsigned gpu_instance;
  unsigned compute_instance;
};
static_assert(sizeof(Process) == 24);
#else
#define FAKE_NVML_PROCESS_LIST nvmlDeviceGetComputeRunningProcesses
struct Process {  // nvmlProcessInfo_v1_t
  unsigned pid;
  unsigned long long memory;
};
static_assert(sizeof(Process) == 16);
#endif
int FAKE_NVML_PROCESS_LIST(Device device, unsigned* count, Process* room) {
  const Call call("nvmlDeviceGetComputeRunningProcesses", device);
  if (call.code() != 0) return call.code();
  std::vector<Process> processes;
  std::istringstream words(call.Text("processes"));
  for (Process one{}; words >> one.pid;) processes.push_back(one);
  return HandOut(processes, count, room);
}
#endif

}  // extern "C"
