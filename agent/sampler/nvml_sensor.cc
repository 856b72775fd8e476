#include "agent/sampler/nvml_sensor.h"

#include <utility>

namespace fleetmark {
namespace {

using telemetry::SeriesName;

// One round of questions to one GPU.
class NvmlQuestions {
 public:
  NvmlQuestions(const nvml::Api& api, nvml::Device device, GpuReport* report)
      : api_(api), device_(device), report_(report) {}

  // True when `function` told what `series` are made of; else the report says why not.
  template <typename Function, typename... Arguments>
  bool Tells(GpuReport::SeriesList series, Function* function, Arguments... arguments) {
    const Status status = function != nullptr ? api_.Explain(function(device_, arguments...)) : nvml::Lacking();
    if (status.ok()) return true;
    is_gone_ = is_gone_ || status.code() == StatusCode::kUnavailable;
    report_->Miss(series, status);
    return false;
  }

  void AskLoad();
  void AskClocks();
  void AskHeatAndPower();
  void AskThrottling();
  bool is_gone() const { return is_gone_; }

 private:
  const nvml::Api& api_;
  const nvml::Device device_;
  GpuReport* const report_;
  bool is_gone_ = false;
};

void NvmlQuestions::AskLoad() {
  nvml::Utilization utilization{};
  if (Tells({&telemetry::kGpuUtil}, api_.get_utilization, &utilization)) {
    report_->Add(telemetry::kGpuUtil, utilization.gpu);
  }
  nvml::Memory memory{};
  if (Tells({&telemetry::kGpuMemory}, api_.get_memory, &memory)) {
    if (memory.used <= memory.total) {
      report_->Add(telemetry::kGpuMemory, static_cast<double>(memory.used));
    } else {
      report_->Miss({&telemetry::kGpuMemory}, Internal("more is used than there is"));
    }
  }
}

void NvmlQuestions::AskClocks() {
  unsigned mhz = 0;
  if (Tells({&telemetry::kGpuClock}, api_.get_clock, nvml::kClockSm, &mhz)) report_->Add(telemetry::kGpuClock, mhz);
  if (Tells({&telemetry::kGpuMemoryClock}, api_.get_clock, nvml::kClockMemory, &mhz)) {
    report_->Add(telemetry::kGpuMemoryClock, mhz);
  }
}

void NvmlQuestions::AskHeatAndPower() {
  unsigned celsius = 0;
  if (Tells({&telemetry::kGpuTemperature}, api_.get_temperature, nvml::kTemperatureGpu, &celsius)) {
    report_->Add(telemetry::kGpuTemperature, celsius);
  }
  unsigned milliwatts = 0;
  if (Tells({&telemetry::kGpuPower}, api_.get_power, &milliwatts)) {
    report_->Add(telemetry::kGpuPower, milliwatts / 1000.0);
  }
}

void NvmlQuestions::AskThrottling() {
  unsigned long long reasons = 0;
  if (!Tells({&telemetry::kGpuHeatThrottle, &telemetry::kGpuPowerCap, &telemetry::kGpuPowerBrake},
             api_.get_clock_reasons, &reasons)) {
    return;
  }
  const bool is_braked = (reasons & nvml::kHardwarePowerBrake) != 0;
  const bool is_hot = (reasons & (nvml::kSoftwareThermalSlowdown | nvml::kHardwareThermalSlowdown)) != 0 ||
                      ((reasons & nvml::kHardwareSlowdown) != 0 && !is_braked);
  report_->Add(telemetry::kGpuHeatThrottle, is_hot ? 1 : 0);
  report_->Add(telemetry::kGpuPowerCap, (reasons & nvml::kSoftwarePowerCap) != 0 ? 1 : 0);
  report_->Add(telemetry::kGpuPowerBrake, is_braked ? 1 : 0);
}

}  // namespace

NvmlSensor::NvmlSensor(std::string library) : library_(std::move(library)) {}

NvmlSensor::~NvmlSensor() { NvmlSensor::Disconnect(); }

Status NvmlSensor::Connect(const SensorSubject& subject) {
  if (!api_) {
    FLEETMARK_ASSIGN_OR_RETURN(const DynamicLibrary library, DynamicLibrary::Open(library_));
    api_.emplace(library);
  }
  if (api_->init == nullptr || api_->shut_down == nullptr) return FailedPrecondition(library_ + " is not NVML");
  FLEETMARK_RETURN_IF_ERROR(api_->Explain(api_->init()));
  is_initialized_ = true;
  FLEETMARK_RETURN_IF_ERROR(FindDevice(subject));
  processes_.Begin(subject.worker_pid);
  return OkStatus();
}

Status NvmlSensor::FindDevice(const SensorSubject& subject) {
  if (subject.device_uuid.starts_with("GPU-")) {
    if (api_->get_by_uuid == nullptr) return nvml::Lacking();
    const int code = api_->get_by_uuid(subject.device_uuid.c_str(), &device_);
    return code == nvml::kNotFound ? Internal("NVML knows no " + subject.device_uuid) : api_->Explain(code);
  }
  if (api_->get_count == nullptr || api_->get_by_index == nullptr) return nvml::Lacking();
  unsigned count = 0;
  FLEETMARK_RETURN_IF_ERROR(api_->Explain(api_->get_count(&count)));
  if (count == 0) return NotFound("NVML knows no GPU");
  if (count > kMostGpus) return Internal("NVML counts " + std::to_string(count) + " GPUs, which cannot be true");
  if (count != 1 || GpuIndex(subject.device) != 0) {
    return FailedPrecondition("the run's GPU has no UUID to tell it from others by");
  }
  return api_->Explain(api_->get_by_index(0, &device_));
}

bool NvmlSensor::Ask(GpuReport* report) {
  NvmlQuestions questions(*api_, device_, report);
  questions.AskLoad();
  questions.AskClocks();
  questions.AskHeatAndPower();
  questions.AskThrottling();
  return processes_.Read(*api_, device_, report) && !questions.is_gone();
}

void NvmlSensor::Disconnect() {
  if (is_initialized_) api_->shut_down();
  is_initialized_ = false;
  device_ = nullptr;
}

}  // namespace fleetmark
