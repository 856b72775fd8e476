#include "coordinator/agent_index.h"

#include <algorithm>

#include "coordinator/agent_link.h"
#include "coordinator/result_intake.h"
#include "coordinator/run_state.h"
#include "coordinator/scheduler.h"

namespace fleetmark {
namespace {

int64_t NextDeadline(const CoreState& state, const Agent& agent, int64_t now_ns) {
  if (agent.record.removed) return kNever;
  return std::min({NextLinkDeadline(state, agent), NextIntakeDeadline(agent), NextLeaseDeadline(agent),
                   NextScheduleDeadline(agent, now_ns)});
}

AgentKeys KeysOf(const CoreState& state, const Agent& agent, int64_t now_ns) {
  return {agent.record.removed ? "" : agent.name(), agent.link == Link::kDescribing ? agent.call : 0,
          NextDeadline(state, agent, now_ns), HasRoom(agent)};
}

void Leave(CoreState& state, Agent& agent) {
  const AgentKeys& keys = agent.keys;
  const auto named = state.agents_by_name.find(keys.name);
  if (named != state.agents_by_name.end() && named->second == &agent) state.agents_by_name.erase(named);
  state.dials.erase(keys.dial);
  state.deadlines.erase({keys.deadline_ns, &agent});
  if (keys.has_room) state.with_room.erase(&agent);
}

void Enter(CoreState& state, Agent& agent) {
  const AgentKeys& keys = agent.keys;
  if (!keys.name.empty()) state.agents_by_name[keys.name] = &agent;
  if (keys.dial != 0) state.dials[keys.dial] = &agent;
  if (keys.deadline_ns != kNever) state.deadlines.emplace(keys.deadline_ns, &agent);
  if (keys.has_room) state.with_room.insert(&agent);
}

std::string FaultOf(const CoreState& state, const Agent& agent, int64_t now_ns) {
  const bool is_due = agent.keys.deadline_ns <= now_ns;  // the next Ticked looks at it, whatever else it misses
  AgentKeys keys = KeysOf(state, agent, now_ns);
  if (is_due) keys.deadline_ns = agent.keys.deadline_ns;
  if (keys != agent.keys) {
    return "agent " + agent.name() + " stands in the indexes with deadline " + std::to_string(agent.keys.deadline_ns) +
           " and room " + std::to_string(agent.keys.has_room) + ", and has deadline " +
           std::to_string(keys.deadline_ns) + " and room " + std::to_string(keys.has_room);
  }
  Agent* const entry = const_cast<Agent*>(&agent);  // the sets hold what may be changed
  if (keys.deadline_ns != kNever && !state.deadlines.contains({keys.deadline_ns, entry})) {
    return "the deadline of agent " + agent.name() + " is missing";
  }
  if (keys.has_room && !state.with_room.contains(entry)) return "agent " + agent.name() + " is missing among the free";
  std::string device;
  const bool is_looked_at = is_due || state.put_off.contains(entry);
  const Run* run = is_looked_at ? nullptr : FirstRunFor(state, agent, now_ns, &device);
  return run == nullptr ? "" : "agent " + agent.name() + " is free, and run " + run->record.run_id + " waits for it";
}

}  // namespace

void Touch(CoreState& state, Agent& agent) { state.touched.insert(&agent); }

void ReindexTouched(CoreState& state, int64_t now_ns) {
  for (Agent* agent : state.touched) {
    AgentKeys keys = KeysOf(state, *agent, now_ns);
    if (keys == agent->keys) continue;
    Leave(state, *agent);
    agent->keys = std::move(keys);
    Enter(state, *agent);
  }
  state.touched.clear();
}

Agent* FindDialled(CoreState& state, uint64_t call) {
  const auto found = state.dials.find(call);
  if (found == state.dials.end()) return nullptr;
  Touch(state, *found->second);
  return found->second;
}

std::vector<Agent*> TakeDueAgents(CoreState& state, int64_t now_ns) {
  std::vector<Agent*> due;
  for (const auto& [deadline_ns, agent] : state.deadlines) {
    if (deadline_ns > now_ns) break;
    due.push_back(agent);
    Touch(state, *agent);
  }
  std::sort(due.begin(), due.end(), AgentById());  // the order must not hang on where they lie in memory
  return due;
}

int64_t FirstDeadline(const CoreState& state) {
  return state.deadlines.empty() ? kNever : state.deadlines.begin()->first;
}

std::string FindIndexFault(const CoreState& state, int64_t now_ns) {
  size_t names = 0, dials = 0, deadlines = 0, with_room = 0;
  for (const auto& [id, agent] : state.agents) {
    if (std::string fault = FaultOf(state, *agent, now_ns); !fault.empty()) return fault;
    const AgentKeys& keys = agent->keys;
    const auto named = state.agents_by_name.find(keys.name);
    if (named != state.agents_by_name.end() && named->second == agent.get()) ++names;
    const auto dialled = state.dials.find(keys.dial);
    if (dialled != state.dials.end() && dialled->second == agent.get()) ++dials;
    if (keys.deadline_ns != kNever) ++deadlines;
    if (keys.has_room) ++with_room;
    if (!keys.name.empty() && named == state.agents_by_name.end()) return "name " + keys.name + " is missing";
    if (keys.dial != 0 && dialled == state.dials.end()) return "the call to " + agent->name() + " is missing";
  }
  if (names != state.agents_by_name.size() || dials != state.dials.size() || deadlines != state.deadlines.size() ||
      with_room != state.with_room.size()) {
    return "an index holds an agent that does not belong there";
  }
  return "";
}

}  // namespace fleetmark
