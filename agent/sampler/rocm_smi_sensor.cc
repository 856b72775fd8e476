#include "agent/sampler/rocm_smi_sensor.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/sampler/amd_sensor.h"

namespace fleetmark {
namespace {

using telemetry::SeriesName;

// One round of questions to one GPU.
class RocmSmiQuestions {
 public:
  RocmSmiQuestions(const rocm_smi::Api& api, uint32_t version, uint32_t gpu, GpuReport* report)
      : api_(api), version_(version), gpu_(gpu), report_(report) {}

  void AskLoad();
  void AskClock(int clock, const SeriesName& series);
  void AskTemperature();
  void AskPower();
  void AskThrottling();
  bool is_gone() const { return is_gone_; }

 private:
  template <typename Function, typename... Arguments>
  Status Call(Function* function, Arguments... arguments) {
    if (function == nullptr) return rocm_smi::Lacking();
    const Status status = api_.Explain(function(gpu_, arguments...));
    is_gone_ = is_gone_ || status.code() == StatusCode::kUnavailable;
    return status;
  }
  // `value` times `scale` where `status` is OK, else the reason.
  void Conclude(const SeriesName& series, const Status& status, double value, double scale) {
    status.ok() ? report_->Add(series, value * scale) : report_->Miss({&series}, status);
  }
  template <typename Frequencies>
  void AskClockOf(int clock, const SeriesName& series);

  const rocm_smi::Api& api_;
  const uint32_t version_;
  const uint32_t gpu_;
  GpuReport* const report_;
  bool is_gone_ = false;
};

void RocmSmiQuestions::AskLoad() {
  uint32_t percent = 0;
  const Status busy = Call(api_.get_busy_percent, &percent);
  Conclude(telemetry::kGpuUtil, busy, percent, 1);
  uint64_t bytes = 0;
  const Status memory = Call(api_.get_memory, rocm_smi::kMemoryVram, &bytes);
  Conclude(telemetry::kGpuMemory, memory, static_cast<double>(bytes), 1);
}

void RocmSmiQuestions::AskClock(int clock, const SeriesName& series) {
  if (version_ == 0) return report_->Miss({&series}, rocm_smi::Lacking());  // nobody knows how it would answer
  version_ < 6 ? AskClockOf<rocm_smi::FrequenciesBefore6>(clock, series)
               : AskClockOf<rocm_smi::Frequencies>(clock, series);
}

template <typename Frequencies>
void RocmSmiQuestions::AskClockOf(int clock, const SeriesName& series) {
  Frequencies frequencies{};
  const Status status = Call(api_.get_clock, clock, static_cast<void*>(&frequencies));
  if (status.ok() && frequencies.current >= std::min<size_t>(frequencies.count, std::size(frequencies.hz))) {
    return report_->Miss({&series}, Internal("ROCm SMI names no current clock"));
  }
  Conclude(series, status, status.ok() ? static_cast<double>(frequencies.hz[frequencies.current]) : 0, 1e-6);
}

void RocmSmiQuestions::AskTemperature() {
  int64_t millicelsius = 0;
  Status status = Call(api_.get_temperature, rocm_smi::kTemperatureJunction, rocm_smi::kTemperatureNow, &millicelsius);
  if (!status.ok()) {  // older GPUs have one sensor
    status = Call(api_.get_temperature, rocm_smi::kTemperatureEdge, rocm_smi::kTemperatureNow, &millicelsius);
  }
  Conclude(telemetry::kGpuTemperature, status, static_cast<double>(millicelsius), 1e-3);
}

void RocmSmiQuestions::AskPower() {
  uint64_t microwatts = 0;
  Status status = Call(api_.get_socket_power, &microwatts);
  if (!status.ok()) status = Call(api_.get_average_power, 0U, &microwatts);  // what older GPUs tell
  Conclude(telemetry::kGpuPower, status, static_cast<double>(microwatts), 1e-6);
}

void RocmSmiQuestions::AskThrottling() {
  const auto metrics = std::make_unique<rocm_smi::GpuMetrics>();
  const Status status =
      version_ < rocm_smi::kFirstWithThrottling ? rocm_smi::Lacking() : Call(api_.get_metrics, metrics.get());
  if (!status.ok()) return report_->Miss({&telemetry::kGpuHeatThrottle, &telemetry::kGpuPowerCap}, status);
  AddAmdThrottling(std::string_view(metrics->bytes, sizeof metrics->bytes), report_);
}

std::string UniqueIdText(uint64_t id) {
  std::array<char, 17> text;
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(id));
  return text.data();
}

}  // namespace

RocmSmiSensor::RocmSmiSensor(std::string library) : library_(std::move(library)) {}

RocmSmiSensor::~RocmSmiSensor() { RocmSmiSensor::Disconnect(); }

Status RocmSmiSensor::Connect(const SensorSubject& subject) {
  if (!api_) {
    FLEETMARK_ASSIGN_OR_RETURN(const DynamicLibrary library, DynamicLibrary::Open(library_));
    api_.emplace(library);
  }
  if (api_->init == nullptr || api_->shut_down == nullptr || api_->get_count == nullptr) {
    return FailedPrecondition(library_ + " is not ROCm SMI");
  }
  FLEETMARK_RETURN_IF_ERROR(api_->Explain(api_->init(0)));
  is_initialized_ = true;
  rocm_smi::Version version{};
  const bool has_version = api_->get_version != nullptr && api_->get_version(&version) == rocm_smi::kSuccess;
  version_ = has_version ? version.major : 0;
  uint32_t count = 0;
  FLEETMARK_RETURN_IF_ERROR(api_->Explain(api_->get_count(&count)));
  if (count > kMostGpus) return Internal("ROCm SMI counts " + std::to_string(count) + " GPUs, which cannot be true");
  std::vector<std::string> unique_ids;
  for (uint32_t gpu = 0; gpu < count; ++gpu) {
    uint64_t id = 0;
    const bool has_id = api_->get_unique_id != nullptr && api_->get_unique_id(gpu, &id) == rocm_smi::kSuccess;
    unique_ids.push_back(has_id ? UniqueIdText(id) : "");
  }
  FLEETMARK_ASSIGN_OR_RETURN(const size_t chosen, ChooseAmdGpu(subject, unique_ids));
  gpu_ = static_cast<uint32_t>(chosen);
  return OkStatus();
}

bool RocmSmiSensor::Ask(GpuReport* report) {
  RocmSmiQuestions questions(*api_, version_, gpu_, report);
  questions.AskLoad();
  questions.AskClock(rocm_smi::kClockSystem, telemetry::kGpuClock);
  questions.AskClock(rocm_smi::kClockMemory, telemetry::kGpuMemoryClock);
  questions.AskTemperature();
  questions.AskPower();
  questions.AskThrottling();
  return !questions.is_gone();
}

void RocmSmiSensor::Disconnect() {
  if (is_initialized_) api_->shut_down();
  is_initialized_ = false;
}

}  // namespace fleetmark
