#include "agent/sampler/amd_sensor.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <utility>

#include "agent/sampler/amdgpu_sensor.h"
#include "agent/sampler/dynamic_library.h"
#include "agent/sampler/rocm_smi_sensor.h"

namespace fleetmark {
namespace {

// By the names that ROCm 7, 6 and 5 and Debian give it, and where AMD's packages put it without telling the loader.
const std::vector<std::string> kRocmSmi = {"librocm_smi64.so.7", "librocm_smi64.so.6",
                                           "librocm_smi64.so.5", "librocm_smi64.so.1",
                                           "librocm_smi64.so",   "/opt/rocm/lib/librocm_smi64.so"};
constexpr char kDrm[] = "/sys/class/drm";

// Offsets in gpu_metrics, and bits of indep_throttle_status (SMU_THROTTLER_... in the kernel's amdgpu_smu.h).
constexpr size_t kFormatAt = 2;
constexpr size_t kContentAt = 3;
constexpr size_t kThrottlingAt = 112;
constexpr uint64_t kPowerOrCurrent = 0x00000000'00ff00ffULL;  // PPT, SPL, FPPT, SPPT, TDC, EDC, APCC
constexpr uint64_t kTemperature = 0x0000ffff'00000000ULL;     // TEMP, VRHOT, PROCHOT

class AmdSensor final : public Sensor {
 public:
  AmdSensor(std::vector<std::string> libraries, std::filesystem::path drm)
      : libraries_(std::move(libraries)), drm_(std::move(drm)) {}

  // Whoever waits before there is a choice waits for ROCm SMI to load.
  const char* name() const override {
    const Sensor* const chosen = named_.load();
    return chosen != nullptr ? chosen->name() : RocmSmiSensor::kName;
  }
  void Begin(const SensorSubject& subject) override {
    subject_ = subject;
    if (chosen_) chosen_->Begin(subject);
  }
  v1::Sensor Read(double now_s, std::vector<Reading>* readings) override {
    if (!chosen_) {
      std::unique_ptr<Sensor> chosen = Choose();
      chosen->Begin(subject_);
      chosen_ = std::move(chosen);
      named_ = chosen_.get();
    }
    return chosen_->Read(now_s, readings);
  }
  void End() override {
    if (chosen_) chosen_->End();
  }

 private:
  std::unique_ptr<Sensor> Choose() const {
    for (const std::string& library : libraries_) {
      if (DynamicLibrary::Open(library).ok()) return std::make_unique<RocmSmiSensor>(library);
    }
    return std::make_unique<AmdgpuSensor>(drm_);
  }

  const std::vector<std::string> libraries_;
  const std::filesystem::path drm_;
  SensorSubject subject_;
  std::unique_ptr<Sensor> chosen_;              // of the thread that reads
  std::atomic<const Sensor*> named_ = nullptr;  // the same, for those that ask for its name
};

}  // namespace

std::unique_ptr<Sensor> MakeAmdSensor(const std::vector<std::string>& libraries, const std::filesystem::path& drm) {
  return std::make_unique<AmdSensor>(libraries, drm);
}

std::unique_ptr<Sensor> MakeAmdSensor() { return MakeAmdSensor(kRocmSmi, kDrm); }

StatusOr<size_t> ChooseAmdGpu(const SensorSubject& subject, const std::vector<std::string>& unique_ids) {
  const std::optional<int> index = GpuIndex(subject.device);
  if (!index) return NotFound("the run is not on a GPU");
  if (unique_ids.empty()) return NotFound("this machine has no AMD GPU");
  size_t chosen = static_cast<size_t>(*index);
  if (subject.device_uuid.starts_with("GPU-")) {
    const auto id = std::find(unique_ids.begin(), unique_ids.end(), subject.device_uuid.substr(4));
    chosen = static_cast<size_t>(id - unique_ids.begin());
  }
  if (chosen >= unique_ids.size()) return NotFound("the run's GPU is none of this machine's AMD GPUs");
  return chosen;
}

void AddAmdThrottling(std::string_view table, GpuReport* report) {
  const GpuReport::SeriesList series = {&telemetry::kGpuHeatThrottle, &telemetry::kGpuPowerCap};
  if (table.size() <= kContentAt) return report->Miss(series, Internal("gpu_metrics is cut short"));
  const int format = static_cast<unsigned char>(table[kFormatAt]);
  const int content = static_cast<unsigned char>(table[kContentAt]);
  if (format != 1 || content != 3) {
    const std::string version = std::to_string(format) + "." + std::to_string(content);
    return report->Miss(series, Status(StatusCode::kUnimplemented, "gpu_metrics " + version + " do not tell"));
  }
  uint64_t reasons = 0;
  if (table.size() < kThrottlingAt + sizeof reasons) {
    return report->Miss(series, Internal("gpu_metrics is cut short"));
  }
  std::memcpy(&reasons, table.data() + kThrottlingAt, sizeof reasons);
  // A field of ones is one that the driver did not fill in.
  if (reasons == UINT64_MAX) {
    return report->Miss(series, Status(StatusCode::kUnimplemented, "this GPU does not tell"));
  }
  report->Add(telemetry::kGpuHeatThrottle, (reasons & kTemperature) != 0 ? 1 : 0);
  report->Add(telemetry::kGpuPowerCap, (reasons & kPowerOrCurrent) != 0 ? 1 : 0);
}

}  // namespace fleetmark
