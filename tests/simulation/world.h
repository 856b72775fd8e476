#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "tests/simulation/agent_process.h"
#include "tests/simulation/coordinator_process.h"
#include "tests/simulation/machine.h"
#include "tests/simulation/monitor.h"
#include "tests/simulation/network.h"
#include "tests/simulation/plan.h"
#include "tests/simulation/schedule.h"

namespace fleetmark::simulation {

// One fleet in one thread, from one plan: the real cores, and everything else made up. Run has a safety phase, in which
// the plan's incidents happen, and a liveness phase without faults, in which every job must end.
class World {
 public:
  // `trace` may be null; else it gets a line for whatever happens.
  World(const Plan& plan, std::ostream* trace);
  ~World();

  // The violation that was found, if any.
  std::optional<Violation> Run();

  // Step by step, for tests that stage what happens; each may throw a Violation. First the programs start.
  void Start();
  void Happen(const Incident& incident);
  // Lets the first thing happen; false when there is none before `until_s`, which then is now.
  bool Step(double until_s);
  // At last every fault ends, and with it every job.
  void Finish();
  // Whether each run that was submitted has ended.
  bool HasEnded();

  // Of the simulation's parts.
  const Plan& plan() const { return plan_; }
  Schedule& schedule() { return schedule_; }
  Dice& dice() { return dice_; }
  Network& network() { return network_; }
  Monitor& monitor() { return monitor_; }
  AgentProcess& agent(int index) { return *agents_[static_cast<size_t>(index)]; }
  size_t agents() const { return agents_.size(); }
  CoordinatorProcess& coordinator() { return *coordinators_.front(); }
  const std::vector<std::unique_ptr<Machine>>& machines() const { return machines_; }
  int AgentAt(const std::string& address) const;  // -1 when nobody was ever there
  bool is_tracing() const { return trace_ != nullptr; }
  void Trace(const std::string& who, const std::string& what);
  // The `number` tells this registration of the agent from its others.
  void RegisterAgent(int agent, uint64_t number, v1::AgentDescription description);
  // All that decides how it goes on; or how it goes on with one agent and the runs that are pinned to it.
  void Describe(std::optional<int> only, Digest* digest);
  // Somebody may send what no coordinator sends: the same attempt with another specification, once the agent knows the
  // first, or one with parameters that are out of bounds.
  void Tamper(int coordinator, int agent, const v1::StartRunRequest& start);

  struct Counts {
    int jobs = 0, runs = 0, spawns = 0, steps = 0;
    double virtual_s = 0;
  };
  Counts counts() const { return counts_; }

 private:
  void HappenToLink(const Incident& incident);
  void HappenToMachine(const Incident& incident);
  void Reboot(Machine& machine, double duration_s);
  void Submit(const Incident& incident);
  void Send(const v1::SubmitRequest& request);
  void CancelSomething();
  void Copy(double duration_s);
  void Restore(double duration_s);
  void RunUntil(double virtual_s);
  void Heal();
  void CheckLiveness();

  const Plan plan_;
  std::ostream* const trace_;
  Schedule schedule_;
  Dice dice_;
  Network network_;
  std::vector<std::unique_ptr<Machine>> machines_;
  Monitor monitor_;
  std::vector<std::unique_ptr<AgentProcess>> agents_;
  std::vector<std::unique_ptr<CoordinatorProcess>> coordinators_;  // the original, and copies of it
  std::optional<MemoryStore> backup_;
  std::vector<v1::SubmitRequest> submitted_;
  bool is_copied_ = false;
  Counts counts_;
};

}  // namespace fleetmark::simulation
