#include "agent/sampler/nvml_api.h"

#include <array>
#include <string>

namespace fleetmark::nvml {
namespace {

struct ProcessList {
  const char* symbol;
  size_t process_size;  // of nvmlProcessInfo_t
};
// The oldest first: it is in every version with one layout. Of the newest, drivers 535.43 to 535.86 write 8 bytes more.
constexpr std::array kProcessLists = {
    ProcessList{"nvmlDeviceGetComputeRunningProcesses", 16},
    ProcessList{"nvmlDeviceGetComputeRunningProcesses_v2", 24},
    ProcessList{"nvmlDeviceGetComputeRunningProcesses_v3", 24},
};

}  // namespace

Api::Api(const DynamicLibrary& library) {
  library.Find("nvmlInit_v2", &init);
  library.Find("nvmlShutdown", &shut_down);
  library.Find("nvmlErrorString", &error_string);
  library.Find("nvmlDeviceGetCount_v2", &get_count);
  library.Find("nvmlDeviceGetHandleByIndex_v2", &get_by_index);
  library.Find("nvmlDeviceGetHandleByUUID", &get_by_uuid);
  library.Find("nvmlDeviceGetUtilizationRates", &get_utilization);
  library.Find("nvmlDeviceGetMemoryInfo", &get_memory);
  library.Find("nvmlDeviceGetClockInfo", &get_clock);
  library.Find("nvmlDeviceGetTemperature", &get_temperature);
  library.Find("nvmlDeviceGetPowerUsage", &get_power);
  library.Find("nvmlDeviceGetCurrentClocksEventReasons", &get_clock_reasons);
  if (get_clock_reasons == nullptr) library.Find("nvmlDeviceGetCurrentClocksThrottleReasons", &get_clock_reasons);
  library.Find("nvmlDeviceGetProcessUtilization", &get_process_samples);
  for (const ProcessList& list : kProcessLists) {
    library.Find(list.symbol, &get_processes);
    process_size = list.process_size;
    if (get_processes != nullptr) break;
  }
}

Status Api::Explain(int code) const {
  switch (code) {
    case kSuccess:
      return OkStatus();
    case kUninitialized:
      return Unavailable("NVML has to be initialised anew");
    case kNotSupported:
      return Status(StatusCode::kUnimplemented, "this GPU does not tell");
    case kNoPermission:
      return Status(StatusCode::kPermissionDenied, "NVML tells it only to users with more rights");
    case kOperatingSystem:
      return Status(StatusCode::kPermissionDenied, "the system or a control group keeps the GPU from this process");
    case kDriverNotLoaded:
      return NotFound("the NVIDIA driver is not loaded");
    case kFunctionNotFound:
      return Lacking();
    case kGpuIsLost:
      return Unavailable("the GPU has fallen off the bus");
    case kResetRequired:
      return Unavailable("the GPU must be reset before it can be used again");
    default:
      return Internal("NVML says " + (error_string != nullptr ? "\"" + std::string(error_string(code)) + "\""
                                                              : "error " + std::to_string(code)));
  }
}

Status Lacking() { return FailedPrecondition("this version of NVML does not have it"); }

}  // namespace fleetmark::nvml
