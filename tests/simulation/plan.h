#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fleetmark::simulation {

// What comes from outside in the safety phase: people's acts and faults. Each stands for itself, so that a failing plan
// can be cut down to the few that matter.
enum class IncidentKind {
  // People.
  kSubmit,    // a job; see Incident
  kResubmit,  // the same request once more, as when its answer was lost
  kCancel,
  kDrain,
  kResume,
  kRemove,  // takes an agent out of the fleet; it comes back when it registers
  // The network between the coordinator and one agent.
  kDropRequest,   // the next one
  kDropAnswer,    // the next one
  kDuplicate,     // the next request arrives twice
  kDelayRequest,  // the next one, by duration_s
  kDelayAnswer,   // the next one
  kCutToAgent,    // one-way, for duration_s
  kCutFromAgent,  // one-way, for duration_s
  kBreak,         // both ways
  kOtherSpec,     // the next StartRun arrives once more, with another specification
  kBadSpec,       // an attempt that nobody planned, out of bounds, comes before the next StartRun
  // Programs and machines.
  kCrashCoordinator,  // at the `point`-th commit, effect or reply from then on
  kCrashAgent,        // the same
  kKillWorker,
  kReboot,
  kLoseJournal,  // the agent is killed, and starts with an empty state directory
  kMove,         // the agent is killed, and starts with another address
  kSuspend,      // the machine sleeps for duration_s
  kSuspendCoordinator,
  kStepClock,  // the wall clock of a machine by duration_s, which may be negative
  kFillCoordinatorDisk,
  kFillAgentDisk,
  kConflict,  // an agent comes back with other bytes for an attempt that it has reported
  kCopy,      // a copy of the coordinator's state runs beside the original for duration_s
  kRestore,   // the coordinator's state is lost, and restored from the last backup
  kBackup,
};

enum class WorkerEnd { kSucceeds, kFails, kCrashes, kHangs, kIgnoresTerm };

struct Incident {
  IncidentKind kind;
  double at_s = 0;
  int target = 0;  // an agent; of kSubmit the agent it is pinned to, -1 for any, -2 for all
  int point = 0;
  double duration_s = 0;
  // Of a job.
  int repeat = 1;
  int retries = 0;
  double timeout_s = 0;
  int steps = 0;  // how long a run takes, in tenths of a second
  int end = 0;    // how it ends: see WorkerEnd
};

struct Plan {
  uint64_t seed = 0;
  bool has_chance = true;  // false: of everything that chance decides the least
  int machines = 0;
  int agents = 0;  // the first ones have a machine each, the others share those
  double lease_s = 60;
  double fetch_deadline_s = 120;  // as coordinator/report_fetch.cc
  double safety_s = 0;
  std::vector<Incident> incidents;  // in order of time
};

Plan MakePlan(uint64_t seed);

// "12.3 s crash-agent 2 point 4".
std::string ToText(const Incident& incident);

}  // namespace fleetmark::simulation
