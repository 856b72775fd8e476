#include "tests/simulation/world.h"

#include <algorithm>
#include <cstdio>
#include <set>
#include <utility>

#include "common/run_spec.h"

namespace fleetmark::simulation {
namespace {

// How long the fleet may take, once nothing disturbs it, to end whatever it has accepted. A run may take 90 s and be
// tried five times; a machine runs one at a time.
constexpr double kMostLivenessS = 6 * 3600;
// From then on agents must be at rest: acknowledged, pruned, nothing running.
constexpr double kSettleS = 120;
// So long what was cancelled may work on once nothing is in the way.
constexpr double kCancelledEndsS = 90;
constexpr int kMostSteps = 4'000'000;

}  // namespace

World::World(const Plan& plan, std::ostream* trace)
    : plan_(plan),
      trace_(trace),
      dice_(plan.seed ^ 0x5eed, plan.has_chance),
      network_(&schedule_, &dice_),
      monitor_(&machines_) {
  for (int i = 0; i < plan.machines; ++i) {
    machines_.push_back(std::make_unique<Machine>("m" + std::to_string(i), &schedule_, &dice_));
  }
  for (int i = 0; i < plan.agents; ++i) {
    agents_.push_back(std::make_unique<AgentProcess>(this, i, machines_[static_cast<size_t>(i % plan.machines)].get()));
  }
  machines_.push_back(std::make_unique<Machine>("mc", &schedule_, &dice_));
  coordinators_.push_back(
      std::make_unique<CoordinatorProcess>(this, 0, machines_.back().get(), MemoryStore("cluster")));
}

World::~World() = default;

int World::AgentAt(const std::string& address) const {
  for (size_t i = 0; i < agents_.size(); ++i) {
    if (agents_[i]->address() == address) return static_cast<int>(i);
  }
  return -1;
}

void World::Trace(const std::string& who, const std::string& what) {
  if (trace_ == nullptr) return;
  char time[32];
  std::snprintf(time, sizeof(time), "%10.4f ", schedule_.now_s());
  *trace_ << time << who << ": " << what << "\n";
}

std::optional<Violation> World::Run() {
  try {
    Start();
    for (const Incident& incident : plan_.incidents) {
      schedule_.At(SecondsToNanos(incident.at_s), Schedule::Kind::kTimer, kPeople,
                   [this, incident] { Happen(incident); });
    }
    RunUntil(plan_.safety_s);
    Finish();
  } catch (const Violation& violation) {
    Trace("VIOLATION", "invariant " + std::to_string(violation.invariant) + ": " + violation.what);
    counts_.spawns = monitor_.spawns();
    return violation;
  }
  counts_.spawns = monitor_.spawns();
  counts_.virtual_s = schedule_.now_s();
  return std::nullopt;
}

void World::Start() {
  coordinator().Start();
  for (const auto& agent : agents_) agent->StartIn(dice_.Seconds(0, 2));
}

bool World::Step(double until_s) {
  if (!schedule_.RunNext(SecondsToNanos(until_s))) return false;
  if (++counts_.steps > kMostSteps) throw Violation{10, "the fleet never comes to rest"};
  return true;
}

void World::RunUntil(double virtual_s) {
  while (Step(virtual_s)) {
  }
}

void World::Finish() {
  Heal();
  CheckLiveness();
}

// Every fault ends, and people put right what only they can.
void World::Heal() {
  Trace("people", "heal everything");
  network_.Heal();
  if (coordinators_.size() > 1) coordinators_.back()->Crash();
  for (const auto& machine : machines_) machine->Wake();
  for (const auto& one : coordinators_) one->WakeUp();
  for (const auto& agent : agents_) agent->WakeUp();
  coordinator().store().is_full = false;
  coordinator().CrashAt(-1, 0);
  int highest = 0;
  for (const auto& agent : agents_) {
    agent->is_full = false;
    agent->CrashAt(-1, 0);
    agent->Start();
    highest = std::max(highest, agent->journal().contents.fence.coordinator_epoch);
  }
  // Agents that obeyed a copy obey its original only when a person has restored that.
  if (is_copied_) {
    coordinator().Crash();
    coordinator().store().MarkRestored(highest + 1, coordinator().machine().Now().unix_s());
  }
  coordinator().Start();
  for (const auto& agent : agents_) {
    coordinator().Ask(DrainAsked{0, agent->name(), false}, [](const fleetmark::Reply&) {});
  }
}

bool World::HasEnded() {
  return std::all_of(coordinator().store().runs().begin(), coordinator().store().runs().end(),
                     [](const auto& entry) { return IsTerminal(entry.second.state); });
}

void World::CheckLiveness() {
  const double until_s = schedule_.now_s() + kMostLivenessS;
  std::set<std::string> cancelled;
  for (const auto& [id, run] : coordinator().store().runs()) {
    if (run.cancel_requested) cancelled.insert(id);
  }
  RunUntil(schedule_.now_s() + kCancelledEndsS);
  for (const auto& machine : machines_) {
    for (const Worker& worker : machine->workers()) {
      if (!cancelled.contains(worker.run_id)) continue;
      throw Violation{10, "run " + worker.run_id + " was cancelled and works on"};
    }
  }
  // A request that was on its way when the faults ended may become a job late.
  for (double rest_s = 0; rest_s < kSettleS && schedule_.now_s() < until_s; rest_s = HasEnded() ? rest_s + 20 : 0) {
    RunUntil(schedule_.now_s() + 20);
  }
  if (!HasEnded()) {
    std::string stuck;
    for (const auto& [id, run] : coordinator().store().runs()) {
      if (!IsTerminal(run.state)) stuck += "\n  run " + id + " " + coordinator().ReasonOf(id);
    }
    throw Violation{10, "runs that never end:" + stuck};
  }
  monitor_.CheckAllEnded(coordinator().store());
  for (const auto& machine : machines_) {
    if (machine->IsLocked()) throw Violation{10, "a worker is left behind on " + machine->name()};
  }
  for (const auto& agent : agents_) {
    for (const auto& [id, attempt] : agent->journal().contents.attempts) {
      throw Violation{4, agent->name() + " still holds attempt " + id + " (" + std::string(StateName(attempt.state)) +
                             "), which nobody acknowledges"};
    }
  }
}

void World::RegisterAgent(int index, uint64_t number, v1::AgentDescription description) {
  const auto describe = [this, index, number](const std::string& content) {
    return [this, index, number, content](Digest* digest) {
      if (digest == nullptr) return true;
      digest->Add(content);
      digest->Add(agent(index).IsRegistering(number));
      return true;
    };
  };
  const std::string content = DeterministicBytes(description);
  network_.SendPlain(
      Network::Direction::kFromAgent, 0, index,
      [this, index, number, describe, description = std::move(description)] {
        if (!coordinator().is_alive()) return;
        AddAgentAsked asked;
        asked.address = agent(index).address();
        asked.claimed = description;
        coordinator().Ask(asked, [this, index, number, describe](const fleetmark::Reply& reply) {
          const std::string said = reply.status.ok() ? "ok" : reply.status.message();
          Trace("c0", "registers " + agent(index).name() + ": " + said);
          network_.SendPlain(
              Network::Direction::kToAgent, 0, index,
              [this, index, number, status = reply.status] { agent(index).OnRegistered(number, status); },
              [this, index, number, describe, said](Digest* digest) {
                return describe(said)(digest) && agent(index).IsRegistering(number);
              });
        });
      },
      describe(content));
}

void World::Tamper(int coordinator, int index, const v1::StartRunRequest& start) {
  Link& link = network_.Between(coordinator, index);
  const auto send = [&](const char* steps, bool is_new) {
    v1::StartRunRequest request = start;
    if (is_new) request.set_attempt_id("planned-by-nobody-" + start.attempt_id());
    (*request.mutable_spec()->mutable_parameters())["steps"] = steps;
    request.set_spec_sha256(SpecSha256(request.spec()));
    network_.SendPlain(Network::Direction::kToAgent, coordinator, index, [this, index, request, is_new] {
      const bool is_known = agent(index).journal().contents.attempts.contains(request.attempt_id());
      if (!agent(index).is_alive() || is_known == is_new) return;
      Trace("somebody", "sends attempt " + request.attempt_id() + " with other parameters");
      agent(index).Take(request, [](const Answer&) {});
    });
  };
  if (link.other_spec > 0) {
    --link.other_spec;
    send("9999", false);
  }
  if (link.bad_spec > 0) {
    --link.bad_spec;
    send("99999", true);
  }
}

}  // namespace fleetmark::simulation
