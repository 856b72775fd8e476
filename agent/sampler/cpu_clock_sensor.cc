#include "agent/sampler/host_sensors.h"
#include "agent/sampler/kernel_file.h"

namespace fleetmark {
namespace {

// Each reading may interrupt the CPU that it is of: of a large machine some stand for all.
constexpr size_t kMostCpus = 32;

class CpuClockSensor final : public Sensor {
 public:
  explicit CpuClockSensor(std::filesystem::path root) : root_(std::move(root)) {}
  const char* name() const override { return "cpufreq"; }
  void Begin(const SensorSubject&) override { FindFiles(); }

  v1::Sensor Read(double, std::vector<Reading>* readings) override {
    if (files_.empty()) FindFiles();
    double sum_khz = 0, count = 0;
    Status status = NotFound("this machine does not tell the clock of its CPUs (no cpufreq driver)");
    for (const std::filesystem::path& file : files_) {
      const auto khz = ReadKernelNumber(file);
      if (khz.ok() && *khz > 0) {
        sum_khz += *khz;
        count += 1;
      } else if (!khz.ok()) {  // a CPU may have been switched off
        status = khz.status();
      }
    }
    if (count == 0) {
      files_.clear();
      return SensorState(name(), status);
    }
    readings->push_back({telemetry::kCpuClock.name, telemetry::kCpuClock.unit, 1e-3 * sum_khz / count});
    return SensorState(name(), OkStatus());
  }

 private:
  void FindFiles() {
    std::vector<std::filesystem::path> all;
    for (const std::filesystem::path& cpu : NumberedEntries(root_ / "sys/devices/system/cpu", "cpu")) {
      std::error_code error;
      if (std::filesystem::exists(cpu / "cpufreq/scaling_cur_freq", error))
        all.push_back(cpu / "cpufreq/scaling_cur_freq");
    }
    files_.clear();
    const size_t stride = (all.size() + kMostCpus - 1) / kMostCpus;
    for (size_t i = 0; i < all.size(); i += stride) files_.push_back(all[i]);
  }

  const std::filesystem::path root_;
  std::vector<std::filesystem::path> files_;
};

}  // namespace

std::unique_ptr<Sensor> MakeCpuClockSensor(std::filesystem::path root) {
  return std::make_unique<CpuClockSensor>(std::move(root));
}

}  // namespace fleetmark
