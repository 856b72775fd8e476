#pragma once

#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "coordinator/effects.h"
#include "coordinator/event.h"
#include "coordinator/records.h"
#include "coordinator/targets.h"

// What CoordinatorCore holds and what its parts (registry, agent_link, scheduler, run_state, result_intake) work on.
// Private to the core: everybody else asks CoordinatorCore.
namespace fleetmark {

// How long after its lease an agent may need to end a KILL run: grace, kill, and clocks that differ a little in rate.
inline constexpr int64_t kKillBoundNs = 10 * kNanosPerSecond;

// A time that never comes.
inline constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

struct CoreConfig {
  Epoch epoch;
  std::string instance_id;  // new at each start
  int64_t first_seq = 1;    // above every seq that this instance_id has used
  double lease_s = 60;
  double offline_after_s = 30;
  // Runs given to machines in one Step. A job for thousands of them would keep whoever asks waiting for its commit.
  size_t dispatched_at_once = 128;
};

struct Job {
  JobRecord record;
  int active_runs = 0;
};

struct Attempt;

// Order in the queue: priority, then age, then repetition and target.
using QueueKey = std::tuple<int64_t, int64_t, int>;  // -priority, job sequence, index in the job

struct Run {
  RunRecord record;
  Job* job = nullptr;
  QueueKey key;
  Attempt* live = nullptr;  // the one attempt that may still run or report
  mutable int place = 0;    // in its queue, from 1, while that is counted
};

// Runs that wait, in order.
struct RunQueue {
  std::map<QueueKey, Run*> runs;
  // Places are counted once for all who ask between two changes.
  mutable bool is_counted = false;
};

struct Attempt {
  AttemptRecord record;
  Run* run = nullptr;
  bool is_start_pending = false;  // StartRun waits to be sent, or is under way
  bool is_cancel_pending = false;
  bool is_cancelling = false;  // the agent knows
  int cancel_failures = 0;     // in a row
  // An answer to a Sync counts as "the agent does not have it" only when the Sync was sent as this call or later.
  uint64_t absence_counts_from = 0;
  // Fetching the report.
  std::string pending_sha256;  // as the agent lists it; "" when it lists none
  bool is_fetching = false;
  int fetch_failures = 0;
  int64_t fetch_not_before_ns = 0;
};

enum class Link { kWaiting, kDescribing, kSyncing };

// A mutating call that waits for its turn.
struct Order {
  enum class Kind { kStart, kCancel, kDrain } kind;
  std::string attempt_id;  // of kStart and kCancel
};

// What the agent lists of an attempt that the core does not follow, and that is looked up in the store therefore.
struct StrayReport {
  v1::AttemptStatus status;
  std::string sha256;     // of the report that it offers; "" while there is none
  bool is_known = false;  // the attempt stands in the store
  bool is_looked_up = false;
  bool is_fetching = false;
  int64_t not_before_ns = 0;
  AttemptRecord attempt;
};

// What is owed to the agent for a report that is stored.
struct PendingAck {
  std::string sha256;
  uint64_t sent_with = 0;  // the first Sync that carried it; 0 for none yet
};

// How an agent stands in the indexes of CoreState (agent_index.h).
struct AgentKeys {
  std::string name;   // "" when it is removed
  uint64_t dial = 0;  // the Describe under way, if one is
  int64_t deadline_ns = kNever;
  bool has_room = false;
  bool operator==(const AgentKeys&) const = default;
};

struct Agent {
  AgentRecord record;

  // The connection.
  bool is_online = false;
  bool is_synced = false;  // has answered a Sync since it came online
  std::string offline_reason;
  Link link = Link::kWaiting;
  uint64_t call = 0;  // of the Describe or Sync under way
  int failures = 0;   // in a row
  int64_t retry_at_ns = 0;
  int64_t last_heard_ns = 0;
  int known_revision = 0;

  // Its clock: it read `boottime_ns` no later than our `boottime_read_ns`. Until it is heard: when the core began.
  std::string boot_id;
  int64_t boottime_ns = 0;
  int64_t boottime_read_ns = 0;
  bool is_leased = false;     // it has confirmed a Sync that carried a lease
  int64_t lease_ends_ns = 0;  // by our clock, no earlier than by its own; 0 when none was granted

  // Whether it would take a run.
  bool is_draining_there = false;
  std::string not_accepting;
  int strange_attempts = 0;  // that it still runs and we did not plan
  std::string refusal;
  int refusals = 0;
  int64_t refused_until_ns = 0;

  int64_t seq = 0;  // of the last order to it, or above every seq that an earlier core may have used
  std::deque<Order> orders;
  bool is_order_under_way = false;
  Order order_under_way;

  std::map<std::string, Attempt*> attempts;   // live
  std::map<std::string, PendingAck> acks;     // by attempt id, until the agent lists it no longer
  int64_t acks_waiting_since_ns = 0;          // 0 when each was sent with a Sync
  std::map<std::string, StrayReport> strays;  // by attempt id

  AgentKeys keys;  // as of the end of the last Step that touched it

  const std::string& name() const { return record.description.name(); }
  const std::string& id() const { return record.agent_id; }
  Machine machine() const { return {record.description, *record.runtimes}; }
};

// A Describe that decides whether an address may join.
struct Admission {
  uint64_t reply = 0;
  std::string address;
  bool is_registration = false;
  std::string claimed_agent_id;
  // Set when a known agent moves: its old address is asked whether it still answers.
  bool is_asking_old_address = false;
  v1::AgentDescription description;
};

struct AgentById {
  bool operator()(const Agent* a, const Agent* b) const { return a->id() < b->id(); }
};

struct CoreState {
  CoreConfig config;
  int64_t seq = 0;
  uint64_t next_call = 1;
  int64_t next_job_sequence = 1;
  double started_unix_s = 0;
  int64_t any_held_until_ns = 0;  // before it no run for "any" machine is dispatched; see HoldAnyRunsNs
  std::map<std::string, std::unique_ptr<Agent>> agents;  // by id; removed ones too
  std::map<std::string, std::unique_ptr<Job>> jobs;
  std::map<std::string, std::unique_ptr<Run>> runs;
  std::map<std::string, std::unique_ptr<Attempt>> attempts;
  std::map<uint64_t, Admission> admissions;
  std::map<ProfileKey, v1::TunedProfile> profiles;
  // The workloads that this core has stored, serialized, by runtime, name and version: a thousand machines describe the
  // same ones.
  std::map<std::tuple<std::string, std::string, int>, std::string> workloads;
  // Queued runs by the agent they are pinned to ("" for any).
  std::map<std::string, RunQueue> queues;
  bool has_new_any_run = false;         // since the last Schedule
  std::set<Agent*, AgentById> put_off;  // by Schedule, until a Ticked takes them up
  // Why the runs of a job wait for any agent, found out once for all who ask between two Steps at one moment.
  mutable std::map<const Job*, std::string> any_reasons;
  mutable int64_t any_reasons_at_ns = 0;

  // Indexes over the agents; see agent_index.h.
  std::map<std::string, Agent*> agents_by_name;    // without those that were removed
  std::map<uint64_t, Agent*> dials;                // by the Describe under way
  std::set<std::pair<int64_t, Agent*>> deadlines;  // the next one of each, if it has one
  std::set<Agent*, AgentById> with_room;           // HasRoom
  std::set<Agent*, AgentById> touched;             // by this Step
};

// One Step of the core.
struct StepContext {
  CoreState& state;
  Effects& effects;
  Moment now;

  void Log(Severity severity, std::string text) { effects.log.push_back({severity, std::move(text)}); }
  void Answer(uint64_t reply, Status status, std::string agent_id = "") {
    effects.replies.push_back({reply, std::move(status), std::move(agent_id), {}});
  }
};

// nullptr when there is none. Of a state that may change, they touch the agent that is concerned.
Agent* FindAgent(CoreState& state, const std::string& agent_id);
Agent* FindAgentByName(CoreState& state, const std::string& name);
const Agent* FindAgentByName(const CoreState& state, const std::string& name);
Attempt* FindAttempt(CoreState& state, const std::string& attempt_id);
Run* FindRun(CoreState& state, const std::string& run_id);

// The pause before the next try after `failures` in a row: doubles from `first_s` up to `most_s`.
int64_t BackoffNs(int failures, double first_s, double most_s);

}  // namespace fleetmark
