#pragma once

#include <cstdint>
#include <filesystem>
#include <map>

#include "agent/sampler/process_stat.h"
#include "common/status.h"

namespace fleetmark {

// The worker and all that descends from it, also what has left its process group or lost its parent since.
class ProcessFamily {
 public:
  explicit ProcessFamily(const std::filesystem::path& root) : proc_(root / "proc") {}
  void Begin(int pid);

  struct Use {
    // Those that ended and were waited for included. It falls when one ends that nobody waits for.
    ProcessUse since_start;
    double rss_pages = 0;  // shared ones count in each
  };
  // NOT_FOUND once none is left; FAILED_PRECONDITION on a kernel that does not list a process's children.
  StatusOr<Use> Read();

 private:
  void AddChildren(int pid, std::map<int, int64_t>* seen) const;

  std::filesystem::path proc_;
  int leader_ = 0;
  std::map<int, int64_t> known_;  // pid and start; 0 where it was not read yet
};

}  // namespace fleetmark
