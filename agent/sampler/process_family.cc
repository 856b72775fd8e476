#include "agent/sampler/process_family.h"

#include <string>
#include <utility>

#include "agent/sampler/kernel_file.h"

namespace fleetmark {

void ProcessFamily::Begin(int pid) {
  leader_ = pid;
  known_ = {{pid, 0}};
}

StatusOr<ProcessFamily::Use> ProcessFamily::Read() {
  std::error_code error;
  if (!std::filesystem::exists(proc_ / "thread-self/children", error)) {
    return FailedPrecondition("this kernel does not list a process's children (CONFIG_PROC_CHILDREN)");
  }
  Use use;
  std::map<int, int64_t> alive;
  std::map<int, int64_t> waiting = std::move(known_);
  while (!waiting.empty()) {
    const auto [pid, start_ticks] = *waiting.begin();
    waiting.erase(waiting.begin());
    if (alive.contains(pid)) continue;
    const auto text = ReadKernelFile(proc_ / std::to_string(pid) / "stat");
    const auto stat = text.ok() ? ParseProcessStat(*text) : std::nullopt;
    if (!stat || (start_ticks != 0 && stat->start_ticks != start_ticks)) continue;
    alive[pid] = stat->start_ticks;
    for (const ProcessUse& part : {stat->own, stat->children}) {
      use.since_start.user_ticks += part.user_ticks;
      use.since_start.system_ticks += part.system_ticks;
      use.since_start.page_faults += part.page_faults;
    }
    use.rss_pages += stat->rss_pages;
    AddChildren(pid, &waiting);
  }
  known_ = std::move(alive);
  if (known_.empty()) return NotFound("process " + std::to_string(leader_) + " has ended");
  return use;
}

// Each thread has those that it started.
void ProcessFamily::AddChildren(int pid, std::map<int, int64_t>* seen) const {
  for (const std::filesystem::path& thread : NumberedEntries(proc_ / std::to_string(pid) / "task", "")) {
    const auto children = ReadKernelFile(thread / "children");
    if (!children.ok()) continue;  // the thread has ended
    for (const std::string_view word : SplitWords(*children)) {
      if (const auto child = NumberOf(word)) seen->try_emplace(static_cast<int>(*child), 0);
    }
  }
}

}  // namespace fleetmark
