#include <algorithm>
#include <utility>

#include "common/run_spec.h"
#include "tests/simulation/world.h"

// What happens to the fleet from outside.
namespace fleetmark::simulation {
namespace {

constexpr int kCopy = 1;  // the copy's number as a coordinator

}  // namespace

void World::Happen(const Incident& incident) {
  Trace("incident", ToText(incident));
  const auto ignore = [](const fleetmark::Reply&) {};
  CoordinatorProcess& original = coordinator();
  const int64_t until_ns = schedule_.now_ns() + SecondsToNanos(incident.duration_s);
  switch (incident.kind) {
    case IncidentKind::kSubmit:
      return Submit(incident);
    case IncidentKind::kResubmit:
      if (!submitted_.empty()) Send(submitted_[static_cast<size_t>(incident.point) % submitted_.size()]);
      return;
    case IncidentKind::kCancel:
      return CancelSomething();
    case IncidentKind::kDrain:
    case IncidentKind::kResume:
      return original.Ask(DrainAsked{0, agent(incident.target).name(), incident.kind == IncidentKind::kDrain}, ignore);
    case IncidentKind::kRemove:
      return original.Ask(RemoveAgentAsked{0, agent(incident.target).name()}, ignore);
    case IncidentKind::kCrashCoordinator:
      return original.CrashAt(incident.point, incident.duration_s);
    case IncidentKind::kSuspendCoordinator:
      return original.machine().Sleep(until_ns);
    case IncidentKind::kFillCoordinatorDisk:
      original.store().is_full = true;
      return schedule_.At(until_ns, Schedule::Kind::kTimer, kPeople, [this] { coordinator().store().is_full = false; });
    case IncidentKind::kCopy:
      return Copy(incident.duration_s);
    case IncidentKind::kBackup:
      backup_.emplace(original.store());
      return;
    case IncidentKind::kRestore:
      return Restore(incident.duration_s);
    default:
      return HappenToLink(incident);
  }
}

void World::HappenToLink(const Incident& incident) {
  Link& link = network_.Between(0, incident.target);
  const bool is_for_orders = incident.point % 2 == 1;  // most other messages are Syncs
  const int64_t duration_ns = SecondsToNanos(incident.duration_s);
  const int64_t until_ns = schedule_.now_ns() + duration_ns;
  switch (incident.kind) {
    case IncidentKind::kDropRequest:
      ++(is_for_orders ? link.drop_orders : link.drop_requests);
      return;
    case IncidentKind::kDropAnswer:
      ++link.drop_answers;
      return;
    case IncidentKind::kDuplicate:
      ++(is_for_orders ? link.duplicate_orders : link.duplicate);
      return;
    case IncidentKind::kOtherSpec:
      ++link.other_spec;
      return;
    case IncidentKind::kBadSpec:
      ++link.bad_spec;
      return;
    case IncidentKind::kDelayRequest:
      (is_for_orders ? link.delay_order_ns : link.delay_request_ns) = duration_ns;
      return;
    case IncidentKind::kDelayAnswer:
      link.delay_answer_ns = duration_ns;
      return;
    case IncidentKind::kBreak:
      link.cut_to_agent_until_ns = link.cut_from_agent_until_ns = until_ns;
      return;
    case IncidentKind::kCutToAgent:
      link.cut_to_agent_until_ns = until_ns;
      return;
    case IncidentKind::kCutFromAgent:
      link.cut_from_agent_until_ns = until_ns;
      return;
    default:
      return HappenToMachine(incident);
  }
}

void World::HappenToMachine(const Incident& incident) {
  AgentProcess& one = agent(incident.target);
  Machine& machine = one.machine();
  const int64_t until_ns = schedule_.now_ns() + SecondsToNanos(incident.duration_s);
  switch (incident.kind) {
    case IncidentKind::kCrashAgent:
      return one.CrashAt(incident.point, incident.duration_s);
    case IncidentKind::kKillWorker:
      if (machine.IsLocked()) machine.Kill(machine.workers().front().pid);
      return;
    case IncidentKind::kReboot:
      if (incident.point % 2 == 1) return Reboot(machine, incident.duration_s);
      // What leaves for it in its last second comes when it is up again.
      network_.Between(0, incident.target).delay_request_ns = until_ns - schedule_.now_ns() + 2 * kNanosPerSecond;
      return schedule_.In(kNanosPerSecond, Schedule::Kind::kTimer, kPeople,
                          [this, &machine, incident] { Reboot(machine, incident.duration_s); });
    case IncidentKind::kLoseJournal:
      one.Crash();
      one.LoseJournal();
      return one.StartIn(incident.duration_s);
    case IncidentKind::kMove:
      one.Crash();
      one.Move();
      return one.StartIn(incident.duration_s);
    case IncidentKind::kSuspend:
      return machine.Sleep(until_ns);
    case IncidentKind::kStepClock:
      return machine.StepWallClock(incident.duration_s);
    case IncidentKind::kFillAgentDisk:
      one.is_full = true;
      return schedule_.At(until_ns, Schedule::Kind::kTimer, kPeople, [&one] { one.is_full = false; });
    case IncidentKind::kConflict:
      one.Crash();
      one.ForgeConflict();
      return one.StartIn(0.5);
    default:
      return;
  }
}

void World::Reboot(Machine& machine, double duration_s) {
  for (const auto& agent : agents_) {
    if (&agent->machine() != &machine) continue;
    agent->Crash();
    agent->StartIn(duration_s);
  }
  machine.Reboot();
}

void World::Submit(const Incident& incident) {
  v1::SubmitRequest request;
  request.set_request_id("request-" + std::to_string(submitted_.size()));
  request.set_workload("work");
  (*request.mutable_parameters())["steps"] = std::to_string(incident.steps);
  (*request.mutable_parameters())["end"] = std::to_string(incident.end);
  if (incident.target == -2) request.add_on("all");
  if (incident.target >= 0) request.add_on(agent(incident.target).name());
  request.set_repeat(incident.repeat);
  request.set_retries(incident.retries);
  request.set_timeout_s(incident.timeout_s);
  request.set_priority(incident.point % 3);
  submitted_.push_back(request);
  Send(request);
}

// As the command line does: the same request again until there is an answer.
void World::Send(const v1::SubmitRequest& request) {
  const auto again = [this, request] {
    schedule_.In(
        SecondsToNanos(1), Schedule::Kind::kTimer, kPeople,
        [this, request] {
          if (schedule_.now_s() < plan_.safety_s) Send(request);
        },
        [request](Digest* digest) {
          if (digest != nullptr) digest->Add(DeterministicBytes(request));
          return true;
        });
  };
  if (!coordinator().is_alive()) return again();
  SubmitAsked asked;
  asked.request = request;
  const auto is_told = std::make_shared<bool>(false);
  coordinator().Ask(asked, [this, request, is_told](const fleetmark::Reply& reply) {
    *is_told = true;
    if (reply.status.ok()) monitor_.OnAccepted(request.request_id(), reply.submitted.job_id());
  });
  schedule_.In(
      SecondsToNanos(5), Schedule::Kind::kTimer, kPeople,
      [is_told, again] {
        if (!*is_told) again();
      },
      [is_told, request](Digest* digest) {
        if (digest != nullptr) digest->Add(DeterministicBytes(request));
        return !*is_told;
      });
}

void World::CancelSomething() {
  std::vector<std::string> active;
  for (const auto& [id, run] : coordinator().store().runs()) {
    if (!IsTerminal(run.state)) active.push_back(id);
  }
  if (active.empty() || !coordinator().is_alive()) return;
  CancelAsked asked;
  asked.run_ids = {active[static_cast<size_t>(dice_.Between(0, static_cast<int64_t>(active.size()) - 1))]};
  coordinator().Ask(asked, [](const fleetmark::Reply&) {});
}

void World::Copy(double duration_s) {
  if (coordinators_.size() > 1) return;
  monitor_.OnCopied();
  is_copied_ = true;
  machines_.push_back(std::make_unique<Machine>("mcopy", &schedule_, &dice_));
  coordinators_.push_back(
      std::make_unique<CoordinatorProcess>(this, kCopy, machines_.back().get(), coordinator().store()));
  coordinators_.back()->store().is_full = false;
  coordinators_.back()->Start();
  schedule_.In(SecondsToNanos(duration_s), Schedule::Kind::kTimer, kPeople, [this] {
    if (coordinators_.size() > 1) coordinators_.back()->Crash();
  });
}

void World::Restore(double duration_s) {
  if (!backup_) return;
  coordinator().Crash();
  monitor_.OnRestored(*backup_);
  coordinator().ReplaceStore(*backup_);
  coordinator().store().is_full = false;
  coordinator().store().MarkRestored(0, coordinator().machine().Now().unix_s());
  coordinator().StartIn(duration_s);
}

}  // namespace fleetmark::simulation
