#include <algorithm>
#include <optional>

#include "agent/sampler/host_sensors.h"
#include "agent/sampler/kernel_file.h"

namespace fleetmark {
namespace {

// Drivers of sensors within a CPU: Intel's, AMD's, Arm's.
constexpr std::string_view kCpuMonitors[] = {"coretemp", "k10temp", "zenpower", "cpu_thermal"};

bool IsCpuZone(const std::string& type) { return type == "x86_pkg_temp" || type.starts_with("cpu"); }

class TemperatureSensor final : public Sensor {
 public:
  explicit TemperatureSensor(std::filesystem::path root) : root_(std::move(root)) {}
  const char* name() const override { return "hwmon"; }
  void Begin(const SensorSubject&) override { FindFiles(); }

  v1::Sensor Read(double, std::vector<Reading>* readings) override {
    if (files_.empty()) FindFiles();
    Status status = NotFound("this machine has no sensor of its CPUs' temperature");
    std::optional<double> hottest;
    for (const std::filesystem::path& file : files_) {
      const auto thousandths = ReadKernelNumber(file);
      if (!thousandths.ok()) {
        status = thousandths.status();
      } else if (!hottest || *thousandths * 1e-3 > *hottest) {
        hottest = *thousandths * 1e-3;
      }
    }
    if (!hottest) {
      files_.clear();
      return SensorState(name(), status);
    }
    readings->push_back({telemetry::kCpuTemperature.name, telemetry::kCpuTemperature.unit, *hottest});
    return SensorState(name(), OkStatus());
  }

 private:
  void FindFiles() {
    files_.clear();
    for (const std::filesystem::path& monitor : NumberedEntries(root_ / "sys/class/hwmon", "hwmon")) {
      const std::string driver = ReadKernelLine(monitor / "name");
      if (std::find(std::begin(kCpuMonitors), std::end(kCpuMonitors), driver) != std::end(kCpuMonitors)) {
        AddInputs(monitor);
      }
    }
    for (const std::filesystem::path& zone : NumberedEntries(root_ / "sys/class/thermal", "thermal_zone")) {
      if (IsCpuZone(ReadKernelLine(zone / "type"))) files_.push_back(zone / "temp");
    }
  }

  // That of the package where there is one: it is the hottest core's, and each reading interrupts a core.
  void AddInputs(const std::filesystem::path& monitor) {
    std::vector<std::filesystem::path> all, packages;
    std::error_code error;
    std::filesystem::directory_iterator entries(monitor, error);
    for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
      const std::string file = entries->path().filename();
      constexpr std::string_view kInput = "_input";
      if (!file.starts_with("temp") || !file.ends_with(kInput)) continue;
      all.push_back(entries->path());
      const std::string label = ReadKernelLine(monitor / (file.substr(0, file.size() - kInput.size()) + "_label"));
      if (label.starts_with("Package")) packages.push_back(entries->path());
    }
    const std::vector<std::filesystem::path>& chosen = packages.empty() ? all : packages;
    files_.insert(files_.end(), chosen.begin(), chosen.end());
  }

  const std::filesystem::path root_;
  std::vector<std::filesystem::path> files_;
};

}  // namespace

std::unique_ptr<Sensor> MakeTemperatureSensor(std::filesystem::path root) {
  return std::make_unique<TemperatureSensor>(std::move(root));
}

}  // namespace fleetmark
