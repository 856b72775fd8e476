#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace fleetmark {

// What processes have used since their start. Ticks are those of sysconf(_SC_CLK_TCK).
struct ProcessUse {
  double user_ticks = 0, system_ticks = 0;
  double cpu_ticks() const { return user_ticks + system_ticks; }
  double page_faults = 0;  // those without I/O: memory that they touched and did not have
};

// Of /proc/PID/stat.
struct ProcessStat {
  int parent_pid = 0;       // 0 of the first process, and where a container hides it
  ProcessUse own;           // of all threads, ended ones too
  ProcessUse children;      // of those that it has waited for, and of theirs
  int64_t start_ticks = 0;  // since the machine's start; tells a process from a later one with its pid
  double rss_pages = 0;
};

// Nothing where `text` is not what the kernel writes there.
std::optional<ProcessStat> ParseProcessStat(std::string_view text);

// Whether `pid` is `ancestor` or descends from it; false of a process that is gone or hidden, and of one whose parents
// ended before it.
bool DescendsFrom(int pid, int ancestor);

}  // namespace fleetmark
