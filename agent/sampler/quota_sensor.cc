#include <algorithm>

#include "agent/sampler/counter_rate.h"
#include "agent/sampler/host_sensors.h"
#include "agent/sampler/kernel_file.h"

namespace fleetmark {
namespace {

// A hierarchy of control groups: where it is mounted, and which of its groups is seen there.
struct Mount {
  std::filesystem::path point;
  std::string root;
};

// The counters of one group's cpu.stat. Its time is the sum over CPUs; a period is one of the quota's, usually 0.1 s.
struct Throttling {
  std::optional<double> held_s, periods, held_periods;
};

bool HasWord(std::string_view list, std::string_view word) {  // "rw,cpu,cpuacct"
  while (!list.empty()) {
    const size_t end = std::min(list.find(','), list.size());
    if (list.substr(0, end) == word) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

// Of a line "N:cpu,cpuacct:/path" (version 1) or "0::/path" (version 2) of /proc/PID/cgroup.
std::optional<std::string> GroupOf(std::string_view groups, bool is_v2) {
  std::optional<std::string> path;
  ForEachLine(groups, [&](std::string_view line) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) return;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    if (is_v2 ? line.starts_with("0::") : HasWord(controllers, "cpu")) path = line.substr(second + 1);
  });
  return path;
}

// "ID PARENT MAJOR:MINOR ROOT POINT OPTIONS ... - TYPE SOURCE OPTIONS", see proc(5).
std::optional<Mount> MountOf(std::string_view mounts, bool is_v2) {
  std::optional<Mount> found;
  ForEachLine(mounts, [&](std::string_view line) {
    const size_t dash = line.find(" - ");
    if (dash == std::string_view::npos || found) return;
    const std::vector<std::string_view> words = SplitWords(line.substr(0, dash));
    const std::vector<std::string_view> system = SplitWords(line.substr(dash + 3));
    if (words.size() < 5 || system.size() < 3) return;
    const bool is_it = is_v2 ? system[0] == "cgroup2" : system[0] == "cgroup" && HasWord(system[2], "cpu");
    if (is_it) found = Mount{std::filesystem::path(words[4]), std::string(words[3])};
  });
  return found;
}

Throttling ParseThrottling(std::string_view text) {
  Throttling throttling;
  ForEachLine(text, [&](std::string_view line) {
    const std::vector<std::string_view> words = SplitWords(line);
    const auto value = words.size() == 2 ? NumberOf(words[1]) : std::nullopt;
    if (!value) return;
    if (words[0] == "throttled_usec") throttling.held_s = 1e-6 * *value;
    if (words[0] == "throttled_time") throttling.held_s = 1e-9 * *value;
    if (words[0] == "nr_periods") throttling.periods = *value;
    if (words[0] == "nr_throttled") throttling.held_periods = *value;
  });
  return throttling;
}

class QuotaSensor final : public Sensor {
 public:
  explicit QuotaSensor(std::filesystem::path root) : root_(std::move(root)) {}
  const char* name() const override { return "cpu_quota"; }

  void Begin(const SensorSubject& subject) override {
    worker_pid_ = subject.worker_pid;
    levels_.clear();
    found_ = FindGroups();
  }

  v1::Sensor Read(double now_s, std::vector<Reading>* readings) override {
    if (!found_.ok()) {
      found_ = FindGroups();
      if (!found_.ok()) return SensorState(name(), found_);
    }
    std::optional<double> percent;
    Status status = NotFound("no control group of the worker counts what a CPU quota held back");
    for (Level& level : levels_) {
      const auto text = ReadKernelFile(level.file);
      if (!text.ok()) {
        if (text.status().code() != StatusCode::kNotFound) return SensorState(name(), text.status());
        continue;
      }
      const Throttling throttling = ParseThrottling(*text);
      if (!throttling.held_s) continue;
      status = OkStatus();
      if (const auto held = level.Percent(now_s, throttling)) percent = percent.value_or(0) + *held;
    }
    if (percent) readings->push_back({telemetry::kQuota.name, telemetry::kQuota.unit, std::min(*percent, 100.0)});
    return SensorState(name(), status);
  }

 private:
  struct Level {
    std::filesystem::path file;
    CounterRate held, periods, held_periods;

    // Of the time: no more than the share of the periods in which it held anything at all, since its time is a sum
    // over all CPUs.
    std::optional<double> Percent(double now_s, const Throttling& throttling) {
      const auto held_rate = held.PerSecond(now_s, *throttling.held_s);
      const auto all = periods.PerSecond(now_s, throttling.periods.value_or(0));
      const auto throttled = held_periods.PerSecond(now_s, throttling.held_periods.value_or(0));
      if (!held_rate) return std::nullopt;
      const double most = all && throttled && *all > 0 ? std::min(1.0, *throttled / *all) : 1;
      return 100 * std::min(*held_rate, most);
    }
  };

  // A quota of any group above the worker's holds it, too.
  Status FindGroups() {
    FLEETMARK_ASSIGN_OR_RETURN(const std::string groups,
                               ReadKernelFile(root_ / "proc" / std::to_string(worker_pid_) / "cgroup"));
    FLEETMARK_ASSIGN_OR_RETURN(const std::string mounts, ReadKernelFile(root_ / "proc/self/mountinfo"));
    for (const bool is_v2 : {false, true}) {
      const auto group = GroupOf(groups, is_v2);
      const auto mount = MountOf(mounts, is_v2);
      if (!group || !mount) continue;
      const bool is_below = mount->root != "/" && group->starts_with(mount->root);
      std::filesystem::path below = is_below ? group->substr(mount->root.size()) : *group;
      below = below.relative_path().lexically_normal();
      const std::filesystem::path top = root_ / mount->point.relative_path();
      for (; !below.empty() && below != "."; below = below.parent_path()) {
        levels_.push_back({top / below / "cpu.stat", {}, {}, {}});
      }
      levels_.push_back({top / "cpu.stat", {}, {}, {}});
      return OkStatus();
    }
    return NotFound("this machine mounts no control groups with a CPU controller");
  }

  const std::filesystem::path root_;
  int worker_pid_ = 0;
  Status found_;
  std::vector<Level> levels_;
};

}  // namespace

std::unique_ptr<Sensor> MakeQuotaSensor(std::filesystem::path root) {
  return std::make_unique<QuotaSensor>(std::move(root));
}

}  // namespace fleetmark
