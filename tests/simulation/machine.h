#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <string>

#include "common/clock.h"
#include "tests/simulation/digest.h"
#include "tests/simulation/schedule.h"

namespace fleetmark::simulation {

// A worker process.
struct Worker {
  int pid = 0;
  std::string attempt_id;
  std::string run_id;
  int agent = 0;
  bool is_gate_open = false;
  bool ignores_term = false;
  // Its agent process has died, so that it is about to die, or it has slept, so that its lease may have run out unseen:
  // for a moment another attempt of its run may be alive.
  bool is_excused = false;
  std::function<void()> on_death;  // tells its agent process
};

// What agents and coordinators run on: its clocks, its sleep, its workers and the lock that they inherit.
class Machine {
 public:
  Machine(std::string name, Schedule* schedule, Dice* dice);

  Moment Now() const;
  // When, by the schedule's time, its CLOCK_BOOTTIME reads this.
  int64_t When(int64_t boottime_ns) const;
  const std::string& boot_id() const { return boot_id_; }
  void StepWallClock(double seconds) { wall_offset_ns_ += SecondsToNanos(seconds); }
  // Its workers die, and its CLOCK_BOOTTIME begins anew; what runs on it is the caller's to end and start.
  void Reboot();

  // While it sleeps nothing on it happens, but its CLOCK_BOOTTIME goes on.
  void Sleep(int64_t until_ns);
  void Wake() { asleep_until_ns_ = 0; }
  // 0 when it is awake.
  int64_t asleep_until_ns() const { return schedule_->now_ns() < asleep_until_ns_ ? asleep_until_ns_ : 0; }

  bool IsLocked() const { return !workers_.empty(); }
  Worker& Spawn(Worker worker);
  Worker* Find(int pid);
  const Worker* FindOf(const std::string& attempt_id) const;
  // The agent process of these has died.
  void Orphan(int agent);
  // For tests: orphans live on until somebody kills them, as one does that waits for a disk in the kernel.
  bool keeps_orphans = false;
  void Kill(int pid);
  // Of an end of this worker that is going to come.
  Schedule::Describe DescribeDeath(int pid);
  void Describe(Digest* digest) const;
  const std::list<Worker>& workers() const { return workers_; }
  const std::string& name() const { return name_; }

 private:
  void BootAnew();

  const std::string name_;
  Schedule* const schedule_;
  Dice* const dice_;
  std::string boot_id_;
  int boots_ = 0;
  int64_t booted_at_ns_ = 0;
  int64_t boottime_then_ns_ = 0;
  double rate_ = 1;
  int64_t wall_offset_ns_ = 0;
  int64_t asleep_until_ns_ = 0;
  int next_pid_ = 100;
  std::list<Worker> workers_;  // alive
};

}  // namespace fleetmark::simulation
