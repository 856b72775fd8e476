#include <algorithm>

#include "agent/sampler/counter_rate.h"
#include "agent/sampler/host_sensors.h"
#include "agent/sampler/kernel_file.h"

namespace fleetmark {
namespace {

constexpr double kSectorBytes = 512;  // in these counters, whatever the disk's own are
// Made of memory, of files, or of other disks, whose traffic would count twice.
constexpr std::string_view kNoDisks[] = {"loop", "ram", "zram", "dm-", "md"};

class DiskSensor final : public Sensor {
 public:
  explicit DiskSensor(std::filesystem::path root) : root_(std::move(root)) {}
  const char* name() const override { return "disk"; }

  void Begin(const SensorSubject&) override {
    read_.Clear();
    written_.Clear();
  }

  v1::Sensor Read(double now_s, std::vector<Reading>* readings) override {
    const auto text = ReadKernelFile(root_ / "proc/diskstats");
    if (!text.ok()) return SensorState(name(), text.status());
    std::optional<double> read, written;
    bool has_disks = false;
    ForEachLine(*text, [&](std::string_view line) {
      const std::vector<std::string_view> words = SplitWords(line);
      constexpr size_t kName = 2, kSectorsRead = 5, kSectorsWritten = 9;
      if (words.size() <= kSectorsWritten || !IsWholeDisk(words[kName])) return;
      has_disks = true;
      const std::string disk(words[kName]);
      if (const auto sectors = NumberOf(words[kSectorsRead])) read_.AddTo(&read, now_s, disk, *sectors);
      if (const auto sectors = NumberOf(words[kSectorsWritten])) written_.AddTo(&written, now_s, disk, *sectors);
    });
    if (!has_disks) return SensorState(name(), NotFound("/proc/diskstats names no disk of /sys/block"));
    if (read) readings->push_back({telemetry::kDiskRead.name, telemetry::kDiskRead.unit, kSectorBytes * *read});
    if (written) readings->push_back({telemetry::kDiskWrite.name, telemetry::kDiskWrite.unit, kSectorBytes * *written});
    return SensorState(name(), OkStatus());
  }

 private:
  bool IsWholeDisk(std::string_view disk) const {
    const bool is_no_disk = std::any_of(std::begin(kNoDisks), std::end(kNoDisks),
                                        [disk](std::string_view prefix) { return disk.starts_with(prefix); });
    std::error_code error;
    return !is_no_disk && std::filesystem::exists(root_ / "sys/block" / disk, error);  // partitions are not there
  }

  const std::filesystem::path root_;
  CounterRates read_, written_;
};

}  // namespace

std::unique_ptr<Sensor> MakeDiskSensor(std::filesystem::path root) {
  return std::make_unique<DiskSensor>(std::move(root));
}

}  // namespace fleetmark
