#include "tests/simulation/plan.h"

#include <algorithm>
#include <iterator>

#include "tests/simulation/schedule.h"

namespace fleetmark::simulation {
namespace {

struct KindInfo {
  IncidentKind kind;
  const char* name;
  int weight;            // how often, of all faults
  double low_s, high_s;  // its duration
};

// Faults and people's acts but for submitting. A kind is left out of plans by weight 0.
constexpr KindInfo kKinds[] = {
    {IncidentKind::kSubmit, "submit", 0, 0, 0},
    {IncidentKind::kResubmit, "resubmit", 3, 0, 0},
    {IncidentKind::kCancel, "cancel", 8, 0, 0},
    {IncidentKind::kDrain, "drain", 2, 0, 0},
    {IncidentKind::kResume, "resume", 2, 0, 0},
    {IncidentKind::kRemove, "remove", 1, 0, 0},
    {IncidentKind::kDropRequest, "drop-request", 8, 0, 0},
    {IncidentKind::kDropAnswer, "drop-answer", 8, 0, 0},
    {IncidentKind::kDuplicate, "duplicate", 6, 0, 0},
    {IncidentKind::kDelayRequest, "delay-request", 6, 0.1, 40},
    {IncidentKind::kDelayAnswer, "delay-answer", 6, 0.1, 40},
    {IncidentKind::kCutToAgent, "cut-to-agent", 4, 0.5, 120},
    {IncidentKind::kCutFromAgent, "cut-from-agent", 4, 0.5, 120},
    {IncidentKind::kBreak, "break", 5, 0.5, 150},
    {IncidentKind::kOtherSpec, "other-spec", 2, 0, 0},
    {IncidentKind::kBadSpec, "bad-spec", 1, 0, 0},
    {IncidentKind::kCrashCoordinator, "crash-coordinator", 12, 0.1, 20},
    {IncidentKind::kCrashAgent, "crash-agent", 14, 0.05, 40},
    {IncidentKind::kKillWorker, "kill-worker", 5, 0, 0},
    {IncidentKind::kReboot, "reboot", 4, 1, 60},
    {IncidentKind::kLoseJournal, "lose-journal", 3, 0.1, 20},
    {IncidentKind::kMove, "move", 2, 0.1, 5},
    {IncidentKind::kSuspend, "suspend", 3, 1, 180},
    {IncidentKind::kSuspendCoordinator, "suspend-coordinator", 2, 1, 120},
    {IncidentKind::kStepClock, "step-clock", 2, -3600, 3600},
    {IncidentKind::kFillCoordinatorDisk, "fill-coordinator-disk", 3, 0.1, 30},
    {IncidentKind::kFillAgentDisk, "fill-agent-disk", 4, 0.1, 60},
    {IncidentKind::kConflict, "conflict", 2, 0, 0},
    {IncidentKind::kCopy, "copy", 1, 5, 60},
    {IncidentKind::kRestore, "restore", 0, 0.5, 10},
    {IncidentKind::kBackup, "backup", 0, 0, 0},
};

const KindInfo& InfoOf(IncidentKind kind) {
  return *std::find_if(std::begin(kKinds), std::end(kKinds), [&](const KindInfo& info) { return info.kind == kind; });
}

// What a plan is about: faults of a few kinds together reach what all kinds at random do not.
struct Theme {
  std::vector<IncidentKind> kinds;  // empty for all, by their weights
  bool is_long = false;             // long runs for any machine, and long faults
};

Theme ChooseTheme(Dice& dice) {
  using enum IncidentKind;
  const double drawn = dice.Seconds(0, 1);
  if (drawn < 0.4) return {};
  if (drawn < 0.6) {
    return {{kCutToAgent, kCutFromAgent, kBreak, kCrashCoordinator, kReboot, kDelayRequest, kDropAnswer, kCrashAgent,
             kSuspend, kCancel},
            true};
  }
  if (drawn < 0.8) {
    return {{kDropRequest, kDropAnswer, kDuplicate, kDelayRequest, kDelayAnswer, kCancel, kCrashAgent,
             kCrashCoordinator, kLoseJournal, kFillAgentDisk, kOtherSpec, kBadSpec, kReboot}};
  }
  return {{kDropAnswer, kDropRequest, kCrashAgent, kCrashCoordinator, kFillAgentDisk, kFillCoordinatorDisk, kConflict,
           kBreak, kCancel, kKillWorker}};
}

IncidentKind AnyKind(Dice& dice, const Theme& theme) {
  if (!theme.kinds.empty()) {
    return theme.kinds[static_cast<size_t>(dice.Between(0, static_cast<int64_t>(theme.kinds.size()) - 1))];
  }
  int64_t total = 0;
  for (const KindInfo& info : kKinds) total += info.weight;
  int64_t drawn = dice.Between(0, total - 1);
  for (const KindInfo& info : kKinds) {
    if ((drawn -= info.weight) < 0) return info.kind;
  }
  return IncidentKind::kDropRequest;
}

// Half of them come just when a job does: there is the most to disturb.
double ChooseTime(Dice& dice, const Plan& plan) {
  if (dice.Chance(0.5)) return dice.Seconds(0.5, plan.safety_s);
  const auto last = static_cast<int64_t>(plan.incidents.size()) - 1;
  const double job_s = plan.incidents[static_cast<size_t>(dice.Between(0, last))].at_s;
  return std::min(job_s + dice.Seconds(-0.1, dice.Chance(0.5) ? 0.1 : 3), plan.safety_s);
}

Incident MakeFault(Dice& dice, const Plan& plan, const Theme& theme) {
  Incident fault{AnyKind(dice, theme)};
  fault.at_s = ChooseTime(dice, plan);
  fault.target = static_cast<int>(dice.Between(0, plan.agents - 1));
  fault.point = static_cast<int>(dice.Between(0, dice.Chance(0.5) ? 3 : 20));
  const KindInfo& info = InfoOf(fault.kind);
  // Most are short: what decides is often a matter of seconds.
  const double high_s = dice.Chance(theme.is_long ? 0.2 : 0.6) ? std::min(info.high_s, 8.0) : info.high_s;
  if (info.high_s > 0) fault.duration_s = dice.Seconds(info.low_s, std::max(info.low_s, high_s));
  return fault;
}

Incident MakeSubmit(Dice& dice, const Plan& plan, const Theme& theme, int repeat) {
  Incident submit{IncidentKind::kSubmit};
  submit.at_s = dice.Chance(0.5) ? dice.Seconds(1, 5) : dice.Seconds(1, plan.safety_s * 0.8);
  submit.target = dice.Chance(theme.is_long ? 0.8 : 0.4) ? -1
                  : dice.Chance(0.15)                    ? -2
                                                         : static_cast<int>(dice.Between(0, plan.agents - 1));
  submit.repeat = repeat;
  submit.retries = dice.Chance(0.6) ? static_cast<int>(dice.Between(0, 4)) : 0;
  submit.timeout_s = theme.is_long ? dice.Seconds(60, 300) : dice.Seconds(5, 90);
  submit.steps = static_cast<int>(dice.Between(1, theme.is_long ? 1500 : dice.Chance(0.8) ? 40 : 300));
  if (dice.Chance(0.25)) submit.end = static_cast<int>(dice.Between(0, static_cast<int>(WorkerEnd::kIgnoresTerm)));
  return submit;
}

// A few incidents in the order and the seconds in which chance alone hardly ever has them. Each is a way in which
// protocols like this one break; interleavings_test.cc has them exactly.
struct Chain {
  Plan* plan;
  double begin_s;
  int agent;  // to which it happens

  void Add(IncidentKind kind, double after_s, double duration_s = 0, int point = 0) const {
    plan->incidents.push_back({kind, begin_s + after_s, agent, point, duration_s});
  }
  void Submit(double after_s, int target, int repeat, int steps, double timeout_s = 300) const {
    plan->incidents.push_back({.kind = IncidentKind::kSubmit,
                               .at_s = begin_s + after_s,
                               .target = target,
                               .repeat = repeat,
                               .retries = 3,
                               .timeout_s = timeout_s,
                               .steps = steps});
  }
  // The next order to the agent is late.
  void DelayOrder(double duration_s) const { Add(IncidentKind::kDelayRequest, 0, duration_s, 1); }
  void LastAtLeast(double duration_s) const { plan->safety_s = std::max(plan->safety_s, begin_s + duration_s); }
};

// A run is cancelled while its StartRun is late, by an agent that dies before it comes.
void AddLateStart(Dice& dice, const Chain& chain) {
  chain.DelayOrder(dice.Seconds(11, 28));
  chain.Submit(0.01, chain.agent, 1, 40);
  chain.Add(IncidentKind::kCancel, dice.Seconds(0.2, 3));
  const int point = static_cast<int>(dice.Between(0, 3));
  const double away_s = dice.Seconds(0.05, 1);
  chain.Add(IncidentKind::kCrashAgent, dice.Seconds(10, 14), away_s, point);
}

// A StartRun is late, and comes to another journal when its run is elsewhere.
void AddOtherJournal(Dice& dice, const Chain& any) {
  const Chain chain{any.plan, any.begin_s, any.plan->agents - 1};  // the last agent that is given a run
  chain.DelayOrder(dice.Seconds(10.5, 28));
  if (chain.agent > 0) chain.Submit(0.01, -1, chain.agent, 5);
  chain.Submit(0.02, -1, 1, static_cast<int>(dice.Between(200, 1200)));
  const double away_s = dice.Seconds(0.1, 2);
  chain.Add(IncidentKind::kLoseJournal, dice.Seconds(0.1, 2), away_s);
}

// An ack is on its way while other bytes for the same attempt turn up.
void AddConflict(Dice& dice, const Chain& chain) {
  chain.Submit(0, chain.agent, 1, 5);
  const double cut_s = dice.Seconds(0.5, 3);
  chain.Add(IncidentKind::kCutFromAgent, dice.Seconds(0.5, 0.8), cut_s);
  chain.Add(IncidentKind::kConflict, dice.Seconds(0.6, 1.5));
}

// A Sync is late and comes after a reboot, before the agent is cut off.
void AddLateLease(Dice& dice, const Chain& chain) {
  chain.Add(IncidentKind::kReboot, 0, dice.Seconds(1, 3));
  chain.Submit(dice.Seconds(4, 10), -1, chain.plan->agents, 1500);
  const double cut_s = dice.Seconds(100, 150);
  chain.Add(IncidentKind::kBreak, dice.Seconds(11, 20), cut_s);
  chain.LastAtLeast(170);
}

// An attempt runs and is forgotten with its journal, while its coordinator sleeps over the answer to StartRun and over
// the wish to cancel it.
void AddForgottenAttempt(Dice& dice, const Chain& chain) {
  chain.DelayOrder(dice.Seconds(8, 25));
  chain.Submit(0.01, chain.agent, 1, 10, 60);
  chain.Add(IncidentKind::kCancel, dice.Seconds(0.2, 3));
  const double asleep_s = dice.Seconds(60, 100);
  chain.Add(IncidentKind::kSuspendCoordinator, dice.Seconds(3.5, 6), asleep_s);
  const double away_s = dice.Seconds(0.1, 2);
  chain.Add(IncidentKind::kLoseJournal, dice.Seconds(30, 50), away_s);
  chain.LastAtLeast(120);
}

void AddChains(Dice& dice, Plan* plan) {
  const auto any_agent = [&] { return static_cast<int>(dice.Between(0, plan->agents - 1)); };
  if (dice.Chance(0.2)) {
    const double begin_s = dice.Seconds(3, 30);
    const Chain chain{plan, begin_s, any_agent()};
    constexpr void (*kChains[])(Dice&, const Chain&) = {AddLateStart, AddOtherJournal, AddConflict, AddLateLease};
    kChains[dice.Between(0, std::ssize(kChains) - 1)](dice, chain);
  }
  if (dice.Chance(0.03)) {
    const int agent = any_agent();
    AddForgottenAttempt(dice, {plan, dice.Seconds(3, 30), agent});
  }
}

struct Size {
  int machines, runs, faults;
};

Size ChooseSize(Dice& dice) {
  const auto between = [&](int low, int high) { return static_cast<int>(dice.Between(low, high)); };
  const double kind = dice.Seconds(0, 1);
  if (kind < 0.6) return {between(1, 4), between(1, 12), between(0, 16)};
  if (kind < 0.96) return {between(4, 8), between(15, 50), between(10, 60)};
  return {between(24, 40), between(150, 300), between(40, 150)};  // dozens of agents, hundreds of runs
}

}  // namespace

Plan MakePlan(uint64_t seed) {
  Dice dice(seed);
  Plan plan;
  plan.seed = seed;
  const Size size = ChooseSize(dice);
  const Theme theme = ChooseTheme(dice);
  plan.machines = size.machines;
  // Now and then two agents share a machine, and its lock.
  plan.agents = size.machines + (dice.Chance(0.2) ? 1 : 0);
  plan.safety_s = dice.Seconds(20, 180);
  for (int runs = 0; runs < size.runs;) {
    const int repeat = static_cast<int>(dice.Between(1, std::max(1, size.runs / 6)));
    plan.incidents.push_back(MakeSubmit(dice, plan, theme, repeat));
    runs += plan.incidents.back().target == -2 ? repeat * plan.agents : repeat;
  }
  for (int i = 0; i < size.faults; ++i) plan.incidents.push_back(MakeFault(dice, plan, theme));
  // Some plans have a backup and its return, beside everything else.
  if (dice.Chance(0.08)) {
    Incident backup{IncidentKind::kBackup};
    backup.at_s = dice.Seconds(2, plan.safety_s / 2);
    Incident restore{IncidentKind::kRestore};
    restore.at_s = dice.Seconds(backup.at_s, plan.safety_s);
    restore.duration_s = dice.Seconds(0.5, 10);
    plan.incidents.push_back(backup);
    plan.incidents.push_back(restore);
  }
  AddChains(dice, &plan);
  std::stable_sort(plan.incidents.begin(), plan.incidents.end(),
                   [](const Incident& a, const Incident& b) { return a.at_s < b.at_s; });
  return plan;
}

std::string ToText(const Incident& incident) {
  char text[200];
  std::snprintf(text, sizeof(text), "%8.3f s %s target %d", incident.at_s, InfoOf(incident.kind).name, incident.target);
  std::string line = text;
  if (incident.kind == IncidentKind::kSubmit) {
    std::snprintf(text, sizeof(text), " repeat %d retries %d timeout %.1f s steps %d end %d", incident.repeat,
                  incident.retries, incident.timeout_s, incident.steps, incident.end);
    return line + text;
  }
  if (incident.kind == IncidentKind::kCrashCoordinator || incident.kind == IncidentKind::kCrashAgent) {
    line += " at point " + std::to_string(incident.point);
  }
  if (incident.duration_s != 0) {
    std::snprintf(text, sizeof(text), " for %.3f s", incident.duration_s);
    line += text;
  }
  return line;
}

}  // namespace fleetmark::simulation
