#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace fleetmark {

// Of /proc/PID/stat. Ticks are those of sysconf(_SC_CLK_TCK).
struct ProcessStat {
  int parent_pid = 0;             // 0 of the first process, and where a container hides it
  double cpu_ticks = 0;           // user and system, of all threads, ended ones too
  double children_cpu_ticks = 0;  // of children that it has waited for, and of theirs
  int64_t start_ticks = 0;        // since the machine's start; tells a process from a later one with its pid
  double rss_pages = 0;
};

// Nothing where `text` is not what the kernel writes there.
std::optional<ProcessStat> ParseProcessStat(std::string_view text);

// Whether `pid` is `ancestor` or descends from it; false of a process that is gone or hidden, and of one whose parents
// ended before it.
bool DescendsFrom(int pid, int ancestor);

}  // namespace fleetmark
