#include "agent/sampler/rocm_smi_api.h"

#include <string>

namespace fleetmark::rocm_smi {

Api::Api(const DynamicLibrary& library) {
  library.Find("rsmi_init", &init);
  library.Find("rsmi_shut_down", &shut_down);
  library.Find("rsmi_status_string", &status_string);
  library.Find("rsmi_version_get", &get_version);
  library.Find("rsmi_num_monitor_devices", &get_count);
  library.Find("rsmi_dev_unique_id_get", &get_unique_id);
  library.Find("rsmi_dev_busy_percent_get", &get_busy_percent);
  library.Find("rsmi_dev_memory_usage_get", &get_memory);
  library.Find("rsmi_dev_gpu_clk_freq_get", &get_clock);
  library.Find("rsmi_dev_temp_metric_get", &get_temperature);
  library.Find("rsmi_dev_current_socket_power_get", &get_socket_power);
  library.Find("rsmi_dev_power_ave_get", &get_average_power);
  library.Find("rsmi_dev_gpu_metrics_info_get", &get_metrics);
}

Status Api::Explain(int code) const {
  switch (code) {
    case kSuccess:
      return OkStatus();
    case kNotSupported:
    case kNotYetImplemented:
      return Status(StatusCode::kUnimplemented, "this GPU does not tell");
    case kPermission:
      return Status(StatusCode::kPermissionDenied, "ROCm SMI tells it only to users with more rights");
    case kInitError:
      return Unavailable("ROCm SMI cannot be initialised");
    default:
      break;
  }
  const char* words = nullptr;
  if (status_string != nullptr && status_string(code, &words) == kSuccess && words != nullptr) {
    return Internal("ROCm SMI says \"" + std::string(words) + "\"");
  }
  return Internal("ROCm SMI says error " + std::to_string(code));
}

Status Lacking() { return FailedPrecondition("this version of ROCm SMI does not have it"); }

}  // namespace fleetmark::rocm_smi
