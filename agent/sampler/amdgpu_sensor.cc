#include "agent/sampler/amdgpu_sensor.h"

#include <charconv>
#include <initializer_list>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

#include "agent/sampler/amd_sensor.h"
#include "common/files.h"

namespace fleetmark {
namespace {

using telemetry::SeriesName;
using Path = std::filesystem::path;

constexpr std::string_view kAmd = "0x1002";  // PCI vendor

// The number that `text` begins with.
std::optional<double> LeadingNumber(std::string_view text) {
  double value = 0;
  const bool is_number = std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc();
  return is_number ? std::optional<double>(value) : std::nullopt;
}

// Of pp_dpm_sclk and its like, "1: 2100Mhz *": that of the line with the star.
std::optional<double> CurrentClock(std::string_view text) {
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    const size_t at = line.find(": ");
    if (at != std::string::npos && line.find('*') != std::string::npos) {
      return LeadingNumber(std::string_view(line).substr(at + 2));
    }
  }
  return std::nullopt;
}

// The text of the first of `paths` that is there; UNIMPLEMENTED if none is: the driver makes no file for what its GPU
// does not have.
StatusOr<std::string> ReadFirst(std::initializer_list<Path> paths) {
  for (const Path& path : paths) {
    auto text = ReadFile(path);
    if (text.ok() && text->empty()) return Internal(path.filename().string() + " cannot be read");  // GPU in reset
    if (text.ok() || text.status().code() != StatusCode::kNotFound) return text;
  }
  return Status(StatusCode::kUnimplemented, "this GPU does not tell");
}

template <typename Parse>
void AddFrom(std::initializer_list<Path> paths, Parse parse, double scale, const SeriesName& series,
             GpuReport* report) {
  const auto text = ReadFirst(paths);
  if (!text.ok()) return report->Miss({&series}, text.status());
  const std::optional<double> value = parse(*text);
  if (!value) return report->Miss({&series}, Internal(paths.begin()->filename().string() + " holds no such number"));
  report->Add(series, *value * scale);
}

// Its one directory, hwmonN.
Path HardwareMonitor(const Path& device) {
  std::error_code error;
  const std::filesystem::directory_iterator entries(device / "hwmon", error);
  return error || entries == std::filesystem::directory_iterator() ? device / "hwmon" : entries->path();
}

std::string FirstWord(const Path& path) {
  std::string word;
  const auto text = ReadFile(path);
  if (text.ok()) std::istringstream(*text) >> word;
  return word;
}

}  // namespace

AmdgpuSensor::AmdgpuSensor(Path drm) : drm_(std::move(drm)) {}

v1::Sensor AmdgpuSensor::Read(double /*now_s*/, std::vector<Reading>* readings) {
  const auto found = FindDevice();
  if (!found.ok()) return SensorState(name(), found.status());
  const Path& device = *found;
  const Path monitor = HardwareMonitor(device);
  GpuReport report(name(), readings);
  AddFrom({device / "gpu_busy_percent"}, LeadingNumber, 1, telemetry::kGpuUtil, &report);
  AddFrom({device / "mem_info_vram_used"}, LeadingNumber, 1, telemetry::kGpuMemory, &report);
  AddFrom({device / "pp_dpm_sclk"}, CurrentClock, 1, telemetry::kGpuClock, &report);
  AddFrom({device / "pp_dpm_mclk"}, CurrentClock, 1, telemetry::kGpuMemoryClock, &report);
  // The hottest spot of the die; its edge, where there is no other sensor.
  AddFrom({monitor / "temp2_input", monitor / "temp1_input"}, LeadingNumber, 1e-3, telemetry::kGpuTemperature, &report);
  AddFrom({monitor / "power1_average", monitor / "power1_input"}, LeadingNumber, 1e-6, telemetry::kGpuPower, &report);
  const auto metrics = ReadFirst({device / "gpu_metrics"});
  if (metrics.ok()) {
    AddAmdThrottling(*metrics, &report);
  } else {
    report.Miss({&telemetry::kGpuHeatThrottle, &telemetry::kGpuPowerCap}, metrics.status());
  }
  return report.Finish();
}

StatusOr<Path> AmdgpuSensor::FindDevice() const {
  constexpr std::string_view kCard = "card";
  std::map<int, Path> devices;  // in the kernel's order
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(drm_, error)) {
    const std::string card = entry.path().filename().string();
    int number = 0;
    const char* end = card.data() + card.size();
    // Connectors are called "card0-DP-1".
    const bool is_card = card.starts_with(kCard) && card.size() > kCard.size() &&
                         std::from_chars(card.data() + kCard.size(), end, number).ptr == end;
    if (is_card && FirstWord(entry.path() / "device/vendor") == kAmd) devices[number] = entry.path() / "device";
  }
  std::vector<Path> paths;
  std::vector<std::string> unique_ids;
  for (const auto& [number, device] : devices) {
    paths.push_back(device);
    unique_ids.push_back(FirstWord(device / "unique_id"));
  }
  FLEETMARK_ASSIGN_OR_RETURN(const size_t chosen, ChooseAmdGpu(subject_, unique_ids));
  return paths[chosen];
}

}  // namespace fleetmark
