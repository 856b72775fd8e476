#include <algorithm>
#include <map>

#include "agent/sampler/counter_rate.h"
#include "agent/sampler/host_sensors.h"
#include "agent/sampler/kernel_file.h"

namespace fleetmark {
namespace {

class HeatThrottleSensor final : public Sensor {
 public:
  explicit HeatThrottleSensor(std::filesystem::path root) : root_(std::move(root)) {}
  const char* name() const override { return "heat_throttles"; }

  void Begin(const SensorSubject&) override {
    cpus_ = NumberedEntries(root_ / "sys/devices/system/cpu", "cpu");
    cores_.Clear();
    packages_.clear();
  }

  v1::Sensor Read(double now_s, std::vector<Reading>* readings) override {
    std::optional<double> cores, package;
    Status status = NotFound("this machine does not count when its CPUs slowed down because of heat");
    for (const std::filesystem::path& cpu : cpus_) {
      const std::filesystem::path counters = cpu / "thermal_throttle";
      if (const auto count = ReadKernelNumber(counters / "core_throttle_count"); count.ok()) {
        cores_.AddTo(&cores, now_s, cpu, *count);
        status = OkStatus();
      } else if (!status.ok() && count.status().code() != StatusCode::kNotFound) {
        status = count.status();
      }
      if (const auto count = ReadKernelNumber(counters / "package_throttle_count"); count.ok()) {
        // Every CPU of a package has counted the same.
        const auto rate = packages_[cpu].PerSecond(now_s, *count);
        if (rate) package = std::max(package.value_or(0), *rate);
        status = OkStatus();
      }
    }
    if (cores || package) {
      const double events = cores.value_or(0) + package.value_or(0);
      readings->push_back({telemetry::kCpuHeatThrottles.name, telemetry::kCpuHeatThrottles.unit, events});
    }
    return SensorState(name(), status);
  }

 private:
  const std::filesystem::path root_;
  std::vector<std::filesystem::path> cpus_;
  CounterRates cores_;
  std::map<std::filesystem::path, CounterRate> packages_;
};

}  // namespace

std::unique_ptr<Sensor> MakeHeatThrottleSensor(std::filesystem::path root) {
  return std::make_unique<HeatThrottleSensor>(std::move(root));
}

}  // namespace fleetmark
