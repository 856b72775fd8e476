#include "tests/simulation/machine.h"

#include <algorithm>
#include <utility>

namespace fleetmark::simulation {
namespace {

constexpr int64_t kUnixAtStartNs = 1'700'000'000 * kNanosPerSecond;

}  // namespace

Machine::Machine(std::string name, Schedule* schedule, Dice* dice)
    : name_(std::move(name)), schedule_(schedule), dice_(dice) {
  rate_ = 1 + dice->Seconds(-1e-4, 1e-4);  // a poor quartz
  BootAnew();
}

void Machine::BootAnew() {
  boot_id_ = name_ + "-boot-" + std::to_string(++boots_);
  booted_at_ns_ = schedule_->now_ns();
  boottime_then_ns_ = SecondsToNanos(dice_->Seconds(1, boots_ == 1 ? 1e6 : 20));
}

Moment Machine::Now() const {
  const int64_t now = schedule_->now_ns();
  const auto since_boot = static_cast<int64_t>(static_cast<double>(now - booted_at_ns_) * rate_);
  return {kUnixAtStartNs + now + wall_offset_ns_, boottime_then_ns_ + since_boot};
}

int64_t Machine::When(int64_t boottime_ns) const {
  // A microsecond later, so that rounding never has a clock read less than what was waited for.
  return booted_at_ns_ + static_cast<int64_t>(static_cast<double>(boottime_ns - boottime_then_ns_) / rate_) + 1000;
}

void Machine::Reboot() {
  for (Worker& worker : workers_) worker.on_death = nullptr;
  workers_.clear();
  asleep_until_ns_ = 0;
  BootAnew();
}

void Machine::Sleep(int64_t until_ns) {
  asleep_until_ns_ = std::max(asleep_until_ns_, until_ns);
  for (Worker& worker : workers_) worker.is_excused = true;
}

Worker& Machine::Spawn(Worker worker) {
  worker.pid = next_pid_++;
  return workers_.emplace_back(std::move(worker));
}

Worker* Machine::Find(int pid) {
  const auto found = std::find_if(workers_.begin(), workers_.end(), [&](const Worker& w) { return w.pid == pid; });
  return found == workers_.end() ? nullptr : &*found;
}

const Worker* Machine::FindOf(const std::string& attempt_id) const {
  const auto found =
      std::find_if(workers_.begin(), workers_.end(), [&](const Worker& w) { return w.attempt_id == attempt_id; });
  return found == workers_.end() ? nullptr : &*found;
}

void Machine::Orphan(int agent) {
  for (Worker& worker : workers_) {
    if (worker.agent != agent) continue;
    worker.is_excused = true;
    worker.on_death = nullptr;
    if (keeps_orphans) continue;
    // Behind its gate it sees the pipe close; else the kernel tells it. A busy machine may take its time.
    const int64_t dies_in_ns = dice_->Between(0, dice_->Chance(0.2) ? 2'000'000'000 : 5'000'000);
    schedule_->In(
        dies_in_ns, Schedule::Kind::kNow, AgentParty(agent), [this, pid = worker.pid] { Kill(pid); },
        DescribeDeath(worker.pid));
  }
}

Schedule::Describe Machine::DescribeDeath(int pid) {
  return [this, pid](Digest* digest) {
    if (digest != nullptr) digest->Add(pid);
    return Find(pid) != nullptr;
  };
}

void Machine::Describe(Digest* digest) const {
  digest->Add(boot_id_);
  digest->Add(next_pid_);
  for (const Worker& worker : workers_) {
    digest->Add(worker.attempt_id);
    digest->Add(worker.pid);
    digest->Add(worker.is_gate_open);
    digest->Add(worker.is_excused);
    digest->Add(worker.on_death != nullptr);
  }
}

void Machine::Kill(int pid) {
  const auto found = std::find_if(workers_.begin(), workers_.end(), [&](const Worker& w) { return w.pid == pid; });
  if (found == workers_.end()) return;
  const std::function<void()> on_death = std::move(found->on_death);
  workers_.erase(found);
  if (on_death) on_death();
}

}  // namespace fleetmark::simulation
