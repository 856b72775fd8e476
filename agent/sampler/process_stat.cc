#include "agent/sampler/process_stat.h"

#include <sstream>
#include <string>

#include "agent/sampler/kernel_file.h"

namespace fleetmark {
namespace {

// Counted from 1, as proc(5) does; the process's name is the second.
constexpr int kParentField = 4;
constexpr int kFaultsField = 10;
constexpr int kUserField = 14;
constexpr int kStartField = 22;
constexpr int kRssField = 24;

}  // namespace

std::optional<ProcessStat> ParseProcessStat(std::string_view text) {
  const size_t name_end = text.rfind(')');  // the name may hold anything, spaces and brackets too
  if (name_end == std::string_view::npos) return std::nullopt;
  std::istringstream fields{std::string(text.substr(name_end + 1))};
  std::string skipped;
  ProcessStat stat;
  for (int field = 3; field < kParentField; ++field) fields >> skipped;
  fields >> stat.parent_pid;
  for (int field = kParentField + 1; field < kFaultsField; ++field) fields >> skipped;
  fields >> stat.own.page_faults >> stat.children.page_faults;
  for (int field = kFaultsField + 2; field < kUserField; ++field) fields >> skipped;
  fields >> stat.own.user_ticks >> stat.own.system_ticks >> stat.children.user_ticks >> stat.children.system_ticks;
  for (int field = kUserField + 4; field < kStartField; ++field) fields >> skipped;
  fields >> stat.start_ticks;
  for (int field = kStartField + 1; field < kRssField; ++field) fields >> skipped;
  fields >> stat.rss_pages;
  if (!fields) return std::nullopt;
  return stat;
}

bool DescendsFrom(int pid, int ancestor) {
  while (pid > 1 && pid != ancestor) {
    const auto text = ReadKernelFile("/proc/" + std::to_string(pid) + "/stat");
    const auto stat = text.ok() ? ParseProcessStat(*text) : std::nullopt;
    pid = stat ? stat->parent_pid : 0;
  }
  return pid > 0 && pid == ancestor;
}

}  // namespace fleetmark
