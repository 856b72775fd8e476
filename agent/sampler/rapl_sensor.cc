#include <algorithm>

#include "agent/sampler/counter_rate.h"
#include "agent/sampler/host_sensors.h"
#include "agent/sampler/kernel_file.h"

namespace fleetmark {
namespace {

// The energy that one package has taken, as a counter that never goes back.
struct Package {
  std::filesystem::path directory;
  double range_uj = 0;  // where its counter begins again at 0
  double last_uj = 0;
  double wrapped_uj = 0;
  CounterRate rate;

  std::optional<double> MicrowattsAt(double now_s, double energy_uj) {
    if (energy_uj < last_uj) wrapped_uj += range_uj;
    last_uj = energy_uj;
    return rate.PerSecond(now_s, wrapped_uj + energy_uj);
  }
};

class RaplSensor final : public Sensor {
 public:
  explicit RaplSensor(std::filesystem::path root) : root_(std::move(root)) {}
  const char* name() const override { return "rapl"; }
  void Begin(const SensorSubject&) override { FindPackages(); }

  // All packages or none: the power of some would pass for that of all.
  v1::Sensor Read(double now_s, std::vector<Reading>* readings) override {
    if (packages_.empty()) FindPackages();
    if (packages_.empty()) return SensorState(name(), NotFound("this machine has no meter of its CPUs' power (RAPL)"));
    double sum_w = 0;
    bool is_known = true;
    for (Package& package : packages_) {
      const auto energy = ReadKernelNumber(package.directory / "energy_uj");
      if (!energy.ok()) return Forget(energy.status());
      const auto microwatts = package.MicrowattsAt(now_s, *energy);
      is_known = is_known && microwatts.has_value();
      sum_w += 1e-6 * microwatts.value_or(0);
    }
    if (is_known) readings->push_back({telemetry::kPackagePower.name, telemetry::kPackagePower.unit, sum_w});
    return SensorState(name(), OkStatus());
  }

 private:
  v1::Sensor Forget(const Status& status) {
    packages_.clear();  // the next reading begins anew
    return SensorState(name(), status);
  }

  // "intel-rapl:0", also on AMD; its parts are "intel-rapl:0:0", and "psys" is the whole machine.
  void FindPackages() {
    packages_.clear();
    for (const std::filesystem::path& zone : NumberedEntries(root_ / "sys/class/powercap", "intel-rapl:")) {
      if (!ReadKernelLine(zone / "name").starts_with("package")) continue;
      const auto range = ReadKernelNumber(zone / "max_energy_range_uj");
      packages_.push_back({zone, range.ok() ? *range : 0, 0, 0, {}});
    }
  }

  const std::filesystem::path root_;
  std::vector<Package> packages_;
};

}  // namespace

std::unique_ptr<Sensor> MakeRaplSensor(std::filesystem::path root) {
  return std::make_unique<RaplSensor>(std::move(root));
}

}  // namespace fleetmark
