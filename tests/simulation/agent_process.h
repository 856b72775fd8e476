#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <vector>

#include "agent/agent_core.h"
#include "tests/fakes/memory_journal.h"
#include "tests/simulation/digest.h"
#include "tests/simulation/machine.h"
#include "tests/simulation/network.h"

namespace fleetmark::simulation {

class World;

// What all agents of the simulation can run.
const agent::Offer& SimulatedOffer();

// AgentCore with everything around it: what AgentLoop, Supervisor and Registration do in the real program, step for
// step, over a journal that outlives the process and workers that outlive it a little.
class AgentProcess {
 public:
  AgentProcess(World* world, int index, Machine* machine);

  // A new process over the journal that there is.
  void Start();
  // kill -9; whoever waits for an answer may learn that the connection broke.
  void Crash();
  // At the `point`-th commit or effect from now.
  void CrashAt(int point, double restart_after_s);
  void StartIn(double seconds);
  // Its machine has just woken, earlier than it was to.
  void WakeUp() {
    if (is_alive() && is_turn_due_) Turn();
  }

  void LoseJournal();
  void Move();
  // Other bytes for an attempt that was reported, as if the journal had been made twice.
  bool ForgeConflict();

  bool is_alive() const { return core_ != nullptr; }
  bool is_doomed() const { return crash_in_ >= 0; }
  uint64_t life() const { return life_; }
  const std::string& address() const { return address_; }
  const std::string& name() const { return name_; }
  Machine& machine() { return *machine_; }
  bool is_full = false;  // its disk
  // For tests: when full it still has room for the few bytes of a fence.
  bool takes_fences = false;
  const agent::MemoryJournal& journal() const { return journal_; }

  // A call has arrived; `reply` is used once, or never when this process dies.
  agent::CallId Take(const Request& request, std::function<void(Answer)> reply);
  // Whether a call would come to more than its answer, now or later.
  bool WouldChange(const Request& request) const;
  // The caller of a Sync no longer waits.
  void Abandon(uint64_t life, agent::CallId call);
  // Whether it would come to anything; adds which call it is.
  bool DescribeAbandon(uint64_t life, agent::CallId call, Digest* digest) const;
  // The answer to the registration with this number, and whether it is waited for.
  void OnRegistered(uint64_t number, const Status& status);
  bool IsRegistering(uint64_t number) const { return is_alive() && number == registration_; }

  // What the next steps depend on.
  void Describe(Digest* digest) const;
  Digest::Reference reference() const;

 private:
  agent::AgentCore CoreOver(const std::string& process_id) const;
  bool WouldChangeBy(const agent::Event& event) const;
  bool WouldChange(agent::AgentCore core, const agent::Event& event) const;
  void Post(agent::Event event);
  void TurnSoon();
  void Turn();
  void Process(std::vector<agent::Event> events);
  void PrepareStart(agent::StartRunCall* call);
  void RetryLater(std::vector<agent::Event> events);
  void RefreshCapacity();
  void ObserveBatch(const std::vector<agent::Event>& events, const agent::Outcome& outcome);
  void Perform(const agent::Effect& effect);
  void Spawn(const agent::SpawnWorker& spawn);
  void OpenGate(const std::string& attempt_id);
  void EndWorker(int pid, int end);
  void Signal(const std::string& attempt_id, bool is_kill);
  void ReplyTo(const agent::Reply& reply);
  void WakeAt(int64_t boottime_ns);
  // Does nothing once this process has died or `is_awaited` says no.
  void OwnTimer(int64_t at_ns, std::function<void()> act, const std::function<bool()>& is_awaited = {},
                std::source_location where = std::source_location::current());
  v1::AgentDescription Description() const;
  void Register();
  void RegisterIn(double seconds);
  void CheckRegistration();
  bool ReachesPoint();
  std::string JournalName() const { return name_ + " " + journal_.contents.incarnation; }

  World* const world_;
  const int index_;
  const std::string name_;
  Machine* const machine_;
  std::string address_;
  int moves_ = 0;

  agent::MemoryJournal journal_;
  int journals_ = 1;

  // Of one life.
  uint64_t life_ = 0;
  std::unique_ptr<agent::AgentCore> core_;
  std::vector<agent::Event> inbox_;
  std::vector<agent::Event> retries_;
  int64_t retry_at_ns_ = 0, retry_delay_ns_ = 0, purge_at_ns_ = 0;
  bool is_turn_due_ = false;
  bool is_capacity_told_ = true;
  int64_t wake_at_ns_ = 0;
  std::map<agent::CallId, std::function<void(Answer)>> calls_;
  agent::CallId next_call_ = 1;
  std::string locked_for_;  // an attempt, within a batch
  int crash_in_ = -1;       // points; -1 for never
  double restart_after_s_ = 0;
  uint64_t registration_ = 0;
  double registration_pause_s_ = 0.5;
  int64_t registered_ns_ = 0;
};

}  // namespace fleetmark::simulation
