#include "tests/simulation/way.h"

#include <algorithm>
#include <numeric>

#include "tests/simulation/digest.h"

namespace fleetmark::simulation {
namespace {

// Timers as close as this come in any order: whose clock is a little ahead is not told.
constexpr int64_t kAtOnceNs = 1'000'000;

Plan PlanOf(const Model& model) {
  Plan plan;
  plan.has_chance = false;
  plan.machines = plan.agents = model.agents;
  plan.lease_s = 12;           // which a lost Sync outlasts
  plan.fetch_deadline_s = 12;  // while it runs everything else goes round and round
  plan.safety_s = 1e6;         // so long a request is sent again until it is answered
  for (int i = 0; i < model.runs; ++i) {
    Incident submit{IncidentKind::kSubmit};
    submit.target = model.is_any ? -1 : i % model.agents;
    submit.retries = 1;
    submit.timeout_s = 60;
    // One that is pinned ends at any moment. One that is not is long enough for its lease to run out first.
    submit.steps = model.is_any ? 200 : 0;
    plan.incidents.push_back(submit);
  }
  return plan;
}

// Who acts on what happens to this party: 0 for the coordinator, which people ask, else one more than the agent's
// index.
size_t ProcessOf(Party party) { return party.kind == Party::Kind::kAgent ? static_cast<size_t>(party.index) + 1 : 0; }

Party PartyOf(size_t process) { return process == 0 ? CoordinatorParty(0) : AgentParty(static_cast<int>(process) - 1); }

// A coordinator that starts is told without a description.
bool IsWakeup(const Schedule::Entry& entry) {
  return entry.party.kind == Party::Kind::kCoordinator && entry.party.agent < 0 && entry.describe;
}

bool IsAlike(const Schedule::Entry& entry, const Party& party, bool is_wakeup) {
  return entry.party.agent == party.agent && IsWakeup(entry) == is_wakeup;
}

}  // namespace

Way::Way(const Model& model, std::ostream* trace)
    : model_(model), world_(PlanOf(model), trace), crashes_(static_cast<size_t>(model.agents) + 1) {
  world_.Start();
  while (world_.Step(1)) {
  }
  Settle();
  for (const Incident& incident : PlanOf(model).incidents) {
    schedule().In(
        0, Schedule::Kind::kNow, kPeople, [this, incident] { world_.Happen(incident); },
        [target = incident.target](Digest* digest) {
          if (digest != nullptr) digest->Add(target);
          return true;
        });
  }
}

bool Way::Take(const Choice& choice) {
  taken_ = {choice, choice.kind == Choice::Kind::kDie ? PartyOf(choice.index) : Party(), false, 0, schedule().now_ns()};
  if (choice.kind == Choice::Kind::kDie) {
    Kill(choice.index);
    Settle();
    return true;
  }
  const Schedule::Key key = Possible()[choice.index];
  const Schedule::Entry& entry = schedule().entries().at(key);
  const size_t process = ProcessOf(entry.party);
  if (entry.kind == Schedule::Kind::kTimer) schedule().PassTime(key.first);
  taken_ = {choice, entry.party, IsWakeup(entry), PlaceOf(key), schedule().now_ns()};
  if (choice.kind == Choice::Kind::kLose) {
    ++lost_;
    schedule().Drop(key);
  } else {
    if (choice.kind == Choice::Kind::kCrash) KillAt(process, choice.point);
    schedule().Run(key);
  }
  Settle();
  if (choice.kind != Choice::Kind::kCrash || !IsDoomed(process)) return true;
  Spare(process);
  return false;
}

void Way::Follow(const Taken& taken, int agent, std::optional<int> point) {
  using Kind = Choice::Kind;
  schedule().PassTime(taken.now_ns);
  const size_t process = ProcessOf(taken.party);
  const bool is_mine = taken.party.agent < 0 || taken.party.agent == agent;
  if (point) KillAt(process, *point);
  if (taken.choice.kind == Kind::kDie) {
    if (process == 0 || is_mine) Kill(process);
  } else if (taken.is_wakeup || !is_mine) {
    if (process == 0) world_.coordinator().Poke();
  } else {
    const Schedule::Key key = KeyOf(taken);
    if (taken.choice.kind == Kind::kLose) {
      schedule().Drop(key);
    } else {
      schedule().Run(key);
    }
  }
  Settle();
  if (point && IsDoomed(process)) {
    Spare(process);
    Kill(process);
    Settle();
  }
  CatchUp();
}

void Way::CatchUp() {
  while (world_.coordinator().IsDue()) {
    world_.coordinator().Poke();
    Settle();
  }
}

std::vector<Choice> Way::Choices() {
  std::vector<Choice> choices;
  const std::vector<Schedule::Key> possible = Possible();
  const bool may_fail = std::accumulate(crashes_.begin(), crashes_.end(), lost_) < model_.faults;
  for (uint8_t i = 0; i < possible.size(); ++i) {
    const Schedule::Entry& entry = schedule().entries().at(possible[i]);
    choices.push_back({Choice::Kind::kHappen, i});
    if (!may_fail) continue;
    if (entry.kind == Schedule::Kind::kMessage && lost_ < model_.lost) choices.push_back({Choice::Kind::kLose, i});
    if (MayDie(ProcessOf(entry.party))) choices.push_back({Choice::Kind::kCrash, i});
  }
  for (uint8_t process = 0; may_fail && process < crashes_.size(); ++process) {
    if (MayDie(process)) choices.push_back({Choice::Kind::kDie, process});
  }
  return choices;
}

uint64_t Way::Fingerprint() {
  Digest digest;
  world_.Describe(std::nullopt, &digest);
  digest.BeginItem();
  digest.Add(lost_);
  for (const int count : crashes_) digest.Add(count);
  return digest.Finish();
}

bool Way::IsOver() {
  CoordinatorProcess& coordinator = world_.coordinator();
  if (!coordinator.is_alive() || !world_.HasEnded() ||
      coordinator.store().runs().size() != static_cast<size_t>(model_.runs)) {
    return false;
  }
  for (size_t i = 0; i < world_.agents(); ++i) {
    const AgentProcess& agent = world_.agent(static_cast<int>(i));
    if (!agent.is_alive() || !agent.journal().contents.attempts.empty()) return false;
  }
  return schedule().entries().at(Possible().front()).kind == Schedule::Kind::kTimer;
}

uint64_t Way::FingerprintOf(int agent) {
  Digest digest;
  world_.Describe(agent, &digest);
  return digest.Finish();
}

size_t Way::PlaceOf(const Schedule::Key& key) {
  const Schedule::Entry& entry = schedule().entries().at(key);
  return static_cast<size_t>(
      std::count_if(schedule().entries().begin(), schedule().entries().find(key),
                    [&](const auto& other) { return IsAlike(other.second, entry.party, IsWakeup(entry)); }));
}

Schedule::Key Way::KeyOf(const Taken& taken) {
  size_t place = 0;
  for (const auto& [key, entry] : schedule().entries()) {
    if (IsAlike(entry, taken.party, taken.is_wakeup) && place++ == taken.place) return key;
  }
  throw Violation{0,
                  "what happens to agent " + std::to_string(taken.party.agent) + " cannot happen without the others"};
}

// What takes no time, all of it; else the timers that come first.
std::vector<Schedule::Key> Way::Possible() {
  std::vector<Schedule::Key> now, timers;
  for (const auto& [key, entry] : schedule().entries()) {
    if (entry.kind != Schedule::Kind::kTimer) {
      now.push_back(key);
    } else if (timers.empty() || key.first < timers.front().first + kAtOnceNs) {
      timers.push_back(key);
    }
  }
  return now.empty() ? timers : now;
}

// Forgets what would change nothing, and lets each process act on what has come before anything else comes: that two
// things come at once to a process is left out, which would double the states again and again.
void Way::Settle() {
  for (auto entry = schedule().entries().begin(); entry != schedule().entries().end();) {
    const Schedule::Key key = entry->first;
    if (entry->second.describe && !entry->second.describe(nullptr)) {
      ++entry;
      schedule().Drop(key);
    } else if (entry->second.kind == Schedule::Kind::kTurn) {
      schedule().Run(key);
      entry = schedule().entries().begin();
    } else {
      ++entry;
    }
  }
}

void Way::Kill(size_t process) {
  ++crashes_[process];
  OfProcess(process, [](auto& one) {
    one.Crash();
    one.StartIn(0);
    return true;
  });
}

void Way::KillAt(size_t process, int point) {
  ++crashes_[process];
  OfProcess(process, [point](auto& one) {
    one.CrashAt(point, 0);
    return true;
  });
}

void Way::Spare(size_t process) {
  --crashes_[process];
  OfProcess(process, [](auto& one) {
    one.CrashAt(-1, 0);
    return true;
  });
}

bool Way::IsDoomed(size_t process) {
  return OfProcess(process, [](auto& one) { return one.is_doomed(); });
}

bool Way::MayDie(size_t process) {
  return crashes_[process] < model_.crashes && OfProcess(process, [](auto& one) { return one.is_alive(); });
}

}  // namespace fleetmark::simulation
