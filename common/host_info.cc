#include "common/host_info.h"

#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

namespace fleetmark {
namespace {

std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string_view Trimmed(std::string_view text, std::string_view set = " \t\"") {
  const size_t first = text.find_first_not_of(set);
  if (first == std::string_view::npos) return "";
  return text.substr(first, text.find_last_not_of(set) - first + 1);
}

// The value of the first line "KEY<separator>VALUE" of a file.
std::string ValueOf(const char* path, std::string_view key, char separator) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const size_t at = line.find(separator);
    if (at == std::string::npos || Trimmed(std::string_view(line).substr(0, at)) != key) continue;
    return std::string(Trimmed(std::string_view(line).substr(at + 1)));
  }
  return "";
}

std::vector<int> AllowedCpus() {
  cpu_set_t allowed;
  std::vector<int> cpus;
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &allowed)) cpus.push_back(cpu);
  }
  return cpus;
}

// Cores that the CPUs belong to: two hardware threads of one core share its arithmetic units.
int CountCores(const std::vector<int>& cpus) {
  std::set<std::pair<std::string, std::string>> cores;
  for (const int cpu : cpus) {
    const std::string topology = "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/";
    const std::string package = FirstLine(topology + "physical_package_id"), core = FirstLine(topology + "core_id");
    if (core.empty()) return static_cast<int>(cpus.size());
    cores.insert({package, core});
  }
  return static_cast<int>(cores.size());
}

// A quota of the control group (containers) in whole CPUs, rounded up; 0 when there is none.
int CpuQuota() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  double quota = 0, period = 0;
  if (!(file >> quota >> period) || period <= 0) return 0;
  return std::max(1, static_cast<int>((quota + period - 1) / period));
}

double MemoryBytes() {
  const double machine = static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGE_SIZE));
  std::ifstream file("/sys/fs/cgroup/memory.max");
  double limit = 0;
  return file >> limit && limit > 0 ? std::min(machine, limit) : machine;
}

}  // namespace

HostInfo ReadHostInfo() {
  HostInfo host;
  utsname names{};
  if (uname(&names) == 0) {
    host.hostname = names.nodename;
    host.kernel = names.release;
  }
  host.os = ValueOf("/etc/os-release", "PRETTY_NAME", '=');
  host.cpu_model = ValueOf("/proc/cpuinfo", "model name", ':');
  if (host.cpu_model.empty()) host.cpu_model = names.machine;
  const std::vector<int> cpus = AllowedCpus();
  host.cpu_count = static_cast<int>(cpus.size());
  host.physical_cores = std::max(1, CountCores(cpus));
  if (const int quota = CpuQuota(); quota > 0) {
    host.cpu_count = std::min(host.cpu_count, quota);
    host.physical_cores = std::min(host.physical_cores, quota);
  }
  host.cpu_governor = FirstLine("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  host.memory_bytes = MemoryBytes();
  return host;
}

std::string ReadGpuDriverVersion() { return FirstLine("/sys/module/nvidia/version"); }

double ReadLoadAverage() {
  double load = -1;
  return getloadavg(&load, 1) == 1 ? load : -1;
}

double ReadOomKills() {
  std::ifstream counters("/proc/vmstat");
  std::string name;
  for (double value = 0; counters >> name >> value;) {
    if (name == "oom_kill") return value;
  }
  return -1;
}

}  // namespace fleetmark
