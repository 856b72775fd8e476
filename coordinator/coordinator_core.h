#pragma once

#include <map>
#include <string>
#include <vector>

#include "coordinator/core_state.h"

namespace fleetmark {
namespace simulation {
class CoreReader;
}

// The coordinator as a deterministic state machine: what is told in (event.h), what is to be done comes out
// (effects.h). Owns no thread, socket, clock, file or random source. Thread-compatible.
class CoordinatorCore {
 public:
  // Takes up what the store remembers. Nothing is called until the first Ticked, which begins to call every agent.
  CoordinatorCore(const CoreConfig& config, const StoredState& stored, Moment now);

  // Appends to `effects`. The caller commits the writes before it acts on the rest; when the commit fails it throws
  // this object away and builds another from the store.
  void Step(const Event& event, Moment now, Effects* effects);

  // When Ticked is due, by CLOCK_BOOTTIME.
  int64_t NextWakeup(Moment now) const;

  // For tests: one sentence about what an index has wrong after the last Step, which was at `now`; "" when all is well.
  std::string FindIndexFault(Moment now) const;

  // The highest seq used in a fence.
  int64_t last_seq() const { return state_.seq; }

  // Adds to a run that the store calls queued or running what only the core knows: reason, place in the queue, whether
  // an attempt is unknown. False when the run has ended.
  bool Describe(v1::RunInfo* run, Moment now) const;

  // Sorted by name.
  v1::ListAgentsResponse Agents(Moment now, const v1::ListAgentsRequest& request = {}) const;
  // One of them, by id; an empty one when there is none.
  v1::AgentInfo AgentById(const std::string& agent_id, Moment now) const;
  std::vector<v1::WorkloadOffer> Workloads() const;
  // The machines' own tuned profiles. NOT_FOUND for an agent that there is not.
  StatusOr<std::vector<v1::TunedProfile>> Profiles(const v1::ProfileFilter& filter) const;

  // Where the live attempt of a run is; "" when it has none that the agent may know.
  struct Place {
    std::string address;
    std::string attempt_id;
  };
  Place FindLive(const std::string& run_id) const;

 private:
  friend class simulation::CoreReader;  // of tests/simulation

  void Rebuild(const StoredState& stored, Moment now);
  void TakeUpAgents(const StoredState& stored, Moment now);
  void Tick(StepContext& step);

  CoreState state_;
};

}  // namespace fleetmark
