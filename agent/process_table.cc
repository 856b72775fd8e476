#include "agent/process_table.h"

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstring>
#include <fstream>
#include <thread>
#include <vector>

#include "agent/sampler/process_stat.h"

namespace fleetmark::agent {
namespace {

constexpr auto kKillLook = std::chrono::milliseconds(2);  // between two looks at what was just killed
constexpr int kCleanLooks = 2;  // what forks and ends during one look is in none of its list, and its child neither

std::string ReadProcFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<int> AllProcesses() {
  std::vector<int> pids;
  DIR* directory = opendir("/proc");
  if (directory == nullptr) return pids;
  while (const dirent* entry = readdir(directory)) {
    int pid = 0;
    const char* end = entry->d_name + std::strlen(entry->d_name);
    if (std::from_chars(entry->d_name, end, pid).ptr == end && pid > 1) pids.push_back(pid);
  }
  closedir(directory);
  return pids;
}

// A zombie has no environment any more and does no harm.
bool CarriesMark(int pid, const std::string& mark) {
  const std::string environment = '\0' + ReadProcFile("/proc/" + std::to_string(pid) + "/environ");
  return environment.find('\0' + mark + '\0') != std::string::npos;
}

}  // namespace

StatusOr<ProcessIdentity> IdentifyProcess(int pid, const std::string& boot_id) {
  const auto stat = ParseProcessStat(ReadProcFile("/proc/" + std::to_string(pid) + "/stat"));
  if (!stat) return NotFound("there is no process " + std::to_string(pid));
  return ProcessIdentity{pid, stat->start_ticks, boot_id};
}

bool KillProcessesOf(std::string_view attempt_id, double timeout_s) {
  const std::string mark = std::string(kAttemptVariable) + "=" + std::string(attempt_id);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(timeout_s);
  for (int clean_looks = 0; clean_looks < kCleanLooks;) {
    ++clean_looks;
    for (const int pid : AllProcesses()) {
      if (pid == getpid() || !CarriesMark(pid, mark)) continue;
      clean_looks = 0;
      kill(pid, SIGKILL);
    }
    if (std::chrono::steady_clock::now() > deadline) return false;
    if (clean_looks < kCleanLooks) std::this_thread::sleep_for(kKillLook);
  }
  return true;
}

void LiveWorkers::Add(int pid) {
  const std::lock_guard lock(mutex_);
  pids_.insert(pid);
}

void LiveWorkers::Remove(int pid) {
  const std::lock_guard lock(mutex_);
  pids_.erase(pid);
}

bool LiveWorkers::EndStrays(std::string_view attempt_id, double timeout_s) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(timeout_s);
  do {
    const std::chrono::duration<double> left = deadline - std::chrono::steady_clock::now();
    if (!KillProcessesOf(attempt_id, left.count())) return false;
    if (ReapStrays()) return true;
  } while (std::chrono::steady_clock::now() < deadline);
  return false;
}

bool LiveWorkers::ReapStrays() {
  const std::lock_guard lock(mutex_);
  while (true) {
    siginfo_t info{};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0) return true;
    // The end of another worker is for the thread that waits for it; while one lives, it hides whether others do.
    if (pids_.count(info.si_pid) != 0 || (info.si_pid == 0 && !pids_.empty())) return true;
    if (info.si_pid == 0) return false;
    waitpid(info.si_pid, nullptr, WNOHANG);
  }
}

bool KillStaleProcesses(std::string_view attempt_id, const ProcessIdentity& process, double timeout_s) {
  const auto found = IdentifyProcess(process.pid, process.boot_id);
  if (found.ok() && found->start_ticks == process.start_ticks) kill(-process.pid, SIGKILL);
  return KillProcessesOf(attempt_id, timeout_s);
}

}  // namespace fleetmark::agent
