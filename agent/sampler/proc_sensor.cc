#include <unistd.h>

#include <algorithm>
#include <map>
#include <utility>

#include "agent/sampler/counter_rate.h"
#include "agent/sampler/host_sensors.h"
#include "agent/sampler/kernel_file.h"
#include "agent/sampler/process_family.h"
#include "agent/sampler/process_stat.h"

namespace fleetmark {
namespace {

class ProcSensor final : public Sensor {
 public:
  explicit ProcSensor(const std::filesystem::path& root) : proc_(root / "proc"), family_(root) {}
  const char* name() const override { return "proc"; }

  void Begin(const SensorSubject& subject) override {
    family_.Begin(subject.worker_pid);
    machine_ = steal_ = worker_ = worker_system_ = worker_faults_ = agent_ = {};
    cpus_.clear();
  }

  v1::Sensor Read(double now_s, std::vector<Reading>* readings) override {
    const auto text = ReadKernelFile(proc_ / "stat");
    if (!text.ok()) return SensorState(name(), text.status());
    std::optional<double> machine;
    ForEachLine(*text, [&](std::string_view line) { ReadCpuLine(line, now_s, &machine, readings); });
    const std::optional<double> agent = ReadAgent(now_s, readings);
    const auto use = family_.Read();
    if (use.ok()) {
      const std::optional<double> worker = ReadWorker(use->since_start, now_s, readings);
      if (use->rss_pages > 0) {  // what has ended and was not waited for has none
        readings->push_back({telemetry::kWorkerRss.name, telemetry::kWorkerRss.unit, use->rss_pages * page_bytes_});
      }
      if (machine && worker && agent) {
        // Ticks are coarse, and counted apart: a little less than nothing is nothing.
        const double other = std::max(0.0, *machine - *worker - *agent);
        readings->push_back({telemetry::kOtherCpu.name, telemetry::kOtherCpu.unit, other});
      }
    }
    ReadLoad(readings);
    ReadMemory(readings);
    // A worker that has ended is nobody's failure.
    return SensorState(name(), use.ok() || use.status().code() == StatusCode::kNotFound ? OkStatus() : use.status());
  }

 private:
  static std::optional<double> AddPercent(const telemetry::SeriesName& series, std::optional<double> ticks_per_s,
                                          std::vector<Reading>* readings, const std::string& suffix = "") {
    static const auto ticks_in_second = static_cast<double>(sysconf(_SC_CLK_TCK));
    if (!ticks_per_s) return std::nullopt;
    const double percent = 100 * *ticks_per_s / ticks_in_second;
    readings->push_back({series.name + suffix, series.unit, percent});
    return percent;
  }

  // "cpu  user nice system idle iowait irq softirq steal ...", in ticks; "cpu0" and so on for each.
  void ReadCpuLine(std::string_view line, double now_s, std::optional<double>* machine,
                   std::vector<Reading>* readings) {
    if (line.substr(0, 3) != "cpu") return;
    const std::vector<std::string_view> words = SplitWords(line);
    constexpr size_t kUser = 1, kNice = 2, kSystem = 3, kIrq = 6, kSoftIrq = 7, kSteal = 8;
    double busy = 0;
    for (const size_t field : {kUser, kNice, kSystem, kIrq, kSoftIrq}) {
      const auto ticks = field < words.size() ? NumberOf(words[field]) : std::nullopt;
      if (!ticks) return;
      busy += *ticks;
    }
    const std::string cpu(words[0].substr(3));
    if (!cpu.empty()) {
      AddPercent(telemetry::kCpu, cpus_[cpu].PerSecond(now_s, busy), readings, "." + cpu);
      return;
    }
    *machine = AddPercent(telemetry::kCpu, machine_.PerSecond(now_s, busy), readings);
    const auto stolen = kSteal < words.size() ? NumberOf(words[kSteal]) : std::nullopt;
    if (stolen) AddPercent(telemetry::kSteal, steal_.PerSecond(now_s, *stolen), readings);
  }

  // Returns its percent of a CPU.
  std::optional<double> ReadWorker(const ProcessUse& use, double now_s, std::vector<Reading>* readings) {
    AddPercent(telemetry::kWorkerSystem, worker_system_.PerSecond(now_s, use.system_ticks), readings);
    if (const auto faults = worker_faults_.PerSecond(now_s, use.page_faults)) {
      readings->push_back({telemetry::kWorkerPageFaults.name, telemetry::kWorkerPageFaults.unit, *faults});
    }
    return AddPercent(telemetry::kWorkerCpu, worker_.PerSecond(now_s, use.cpu_ticks()), readings);
  }

  std::optional<double> ReadAgent(double now_s, std::vector<Reading>* readings) {
    const auto text = ReadKernelFile(proc_ / "self/stat");
    const auto stat = text.ok() ? ParseProcessStat(*text) : std::nullopt;
    if (!stat) return std::nullopt;
    return AddPercent(telemetry::kAgentCpu, agent_.PerSecond(now_s, stat->own.cpu_ticks()), readings);
  }

  void ReadLoad(std::vector<Reading>* readings) const {
    const std::string line = ReadKernelLine(proc_ / "loadavg");
    const std::vector<std::string_view> words = SplitWords(line);
    const auto load = words.empty() ? std::nullopt : NumberOf(words[0]);
    if (load) readings->push_back({telemetry::kLoad1.name, telemetry::kLoad1.unit, *load});
  }

  void ReadMemory(std::vector<Reading>* readings) const {
    const auto text = ReadKernelFile(proc_ / "meminfo");
    if (!text.ok()) return;
    std::optional<double> total, available;
    ForEachLine(*text, [&](std::string_view line) {
      const bool is_total = line.starts_with("MemTotal:"), is_available = line.starts_with("MemAvailable:");
      if (!is_total && !is_available) return;
      const std::vector<std::string_view> words = SplitWords(line);
      if (words.size() > 1) (is_total ? total : available) = NumberOf(words[1]);
    });
    if (!total || !available) return;
    const double used_kib = *total - *available;
    readings->push_back({telemetry::kMemoryUsed.name, telemetry::kMemoryUsed.unit, 1024 * used_kib});
  }

  const std::filesystem::path proc_;
  const double page_bytes_ = static_cast<double>(sysconf(_SC_PAGESIZE));
  ProcessFamily family_;
  CounterRate machine_, steal_, worker_, worker_system_, worker_faults_, agent_;
  std::map<std::string, CounterRate> cpus_;
};

}  // namespace

std::unique_ptr<Sensor> MakeProcSensor(std::filesystem::path root) { return std::make_unique<ProcSensor>(root); }

}  // namespace fleetmark
