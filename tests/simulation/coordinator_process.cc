#include "tests/simulation/coordinator_process.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "tests/simulation/world.h"

namespace fleetmark::simulation {
namespace {

constexpr double kRecoverPauseS = 0.5;

}  // namespace

CoordinatorProcess::CoordinatorProcess(World* world, int index, Machine* machine, MemoryStore store)
    : world_(world),
      index_(index),
      name_("c" + std::to_string(index)),
      machine_(machine),
      store_(std::make_unique<MemoryStore>(std::move(store))) {}

void CoordinatorProcess::Start() {
  if (is_alive()) return;
  store_->next_instance_id = name_ + "-instance-" + std::to_string(++life_);
  const StatusOr<Epoch> epoch = store_->BeginEpoch(world_->plan().lease_s);
  if (!epoch.ok()) return StartIn(1);  // its disk is full: whoever watches over it tries again
  epoch_ = epoch->coordinator_epoch;
  config_ = {};
  config_.epoch = *epoch;
  config_.instance_id = epoch->instance_id;
  config_.lease_s = world_->plan().lease_s;
  config_.offline_after_s = world_->plan().lease_s / 2;
  config_.dispatched_at_once = 3;  // which fleets as small as these exceed
  next_seq_ = 1;
  generation_ = 0;
  world_->Trace(name_, "starts epoch " + std::to_string(epoch_));
  if (Rebuild()) TurnSoon();
}

bool CoordinatorProcess::Rebuild() {
  const StatusOr<StoredState> stored = store_->Load();
  CoreConfig config = config_;
  config.first_seq = next_seq_;
  if (generation_ > 0) config.epoch.previous_lease_s = std::max(config.epoch.previous_lease_s, config.lease_s);
  ++generation_;
  core_ = std::make_unique<CoordinatorCore>(config, *stored, machine_->Now());
  return true;
}

void CoordinatorProcess::Crash() {
  if (!is_alive()) return;
  world_->Trace(name_, "dies");
  core_.reset();
  ++life_;
  inbox_.clear();
  waiting_.clear();
  is_turn_due_ = is_recovering_ = false;
  wake_at_ns_ = 0;
  crash_in_ = -1;
  for (const auto& call : std::exchange(calls_, {})) {
    if (!call->is_done) GiveUp(call, Unavailable("gone"));
  }
  syncs_.clear();
}

void CoordinatorProcess::CrashAt(int point, double restart_after_s) {
  crash_in_ = point;
  restart_after_s_ = restart_after_s;
}

bool CoordinatorProcess::ReachesPoint() {
  if (crash_in_ < 0 || crash_in_-- > 0) return false;
  Crash();
  StartIn(restart_after_s_);
  return true;
}

void CoordinatorProcess::StartIn(double seconds) {
  world_->schedule().In(SecondsToNanos(seconds), Schedule::Kind::kTimer, CoordinatorParty(index_), [this] { Start(); });
}

void CoordinatorProcess::Post(uint64_t generation, Event event) {
  if (!is_alive()) return;
  inbox_.push_back({generation, std::move(event)});
  TurnSoon();
}

void CoordinatorProcess::TurnSoon() {
  if (is_turn_due_ || is_recovering_) return;
  is_turn_due_ = true;
  world_->schedule().In(world_->dice().Between(10'000, 2'000'000), Schedule::Kind::kTurn, CoordinatorParty(index_),
                        [this, life = life_] {
                          if (life == life_ && is_alive()) Turn();
                        });
}

void CoordinatorProcess::WakeLater() {
  const int64_t next_ns = core_->NextWakeup(machine_->Now());
  if (next_ns == std::numeric_limits<int64_t>::max()) return;
  const int64_t at_ns = std::max(machine_->When(next_ns), world_->schedule().now_ns());
  if (wake_at_ns_ > world_->schedule().now_ns() && wake_at_ns_ <= at_ns) return;
  wake_at_ns_ = at_ns;
  const auto is_due = [this, life = life_, at_ns] { return life == life_ && is_alive() && wake_at_ns_ == at_ns; };
  world_->schedule().At(
      at_ns, Schedule::Kind::kTimer, CoordinatorParty(index_),
      [this, is_due] {
        if (is_due()) TurnSoon();
      },
      [is_due](Digest*) { return is_due(); });
}

// As CoordinatorLoop::Loop, once around.
void CoordinatorProcess::Turn() {
  if (const int64_t until_ns = machine_->asleep_until_ns(); until_ns != 0) {
    world_->schedule().At(until_ns, Schedule::Kind::kNow, CoordinatorParty(index_), [this, life = life_] {
      if (life == life_ && is_alive()) Turn();
    });
    return;
  }
  is_turn_due_ = false;
  if (is_recovering_) return;
  Effects effects;
  StepAll(std::exchange(inbox_, {}), &effects);
  if (!effects.writes.empty()) {
    if (ReachesPoint()) return;
    if (const Status status = store_->Commit(effects.writes); !status.ok()) {
      world_->monitor().OnCommitFailed(status);
      return Recover(status);
    }
    world_->monitor().OnCommitted(*store_, effects.writes);
  }
  const uint64_t life = life_;
  Act(std::move(effects));
  if (life != life_ || !is_alive()) return;
  if (!inbox_.empty()) TurnSoon();
  WakeLater();
}

void CoordinatorProcess::StepAll(std::vector<Posted> events, Effects* effects) {
  std::set<std::string> submitted;
  for (Posted& posted : events) {
    if (posted.generation != 0 && posted.generation != generation_) continue;
    if (const auto* submit = std::get_if<SubmitAsked>(&posted.event)) {
      if (!submitted.insert(submit->request.request_id()).second) {
        inbox_.push_back(std::move(posted));
        continue;
      }
      if (AnswerSubmit(*submit)) continue;
    }
    core_->Step(posted.event, machine_->Now(), effects);
  }
  const Moment now = machine_->Now();
  if (core_->NextWakeup(now) <= now.boottime_ns) core_->Step(Ticked{}, now, effects);
  if (const std::string fault = core_->FindIndexFault(now); !fault.empty()) throw Violation{10, fault};
}

bool CoordinatorProcess::AnswerSubmit(const SubmitAsked& submit) {
  const auto known = store_->FindSubmission(submit.request.request_id());
  if (!known->has_value()) return false;
  auto told = waiting_.extract(submit.reply);
  if (!told.empty()) told.mapped()({submit.reply, OkStatus(), "", **known});
  return true;
}

void CoordinatorProcess::Act(Effects effects) {
  const uint64_t life = life_;
  for (const fleetmark::LogLine& line : effects.log) world_->Trace(name_, line.text);
  for (const fleetmark::Call& call : effects.calls) {
    if (ReachesPoint()) return;
    Perform(call);
  }
  for (const fleetmark::Reply& reply : effects.replies) {
    if (ReachesPoint() || life != life_) return;
    auto told = waiting_.extract(reply.reply);
    if (!told.empty()) told.mapped()(reply);
  }
}

// Nothing has left; every answer that is still to come is for a core that is no more.
void CoordinatorProcess::Recover(const Status& failure) {
  world_->Trace(name_, "could not store: " + failure.message());
  next_seq_ = core_->last_seq() + 1;
  is_recovering_ = true;
  for (auto& [reply, told] : std::exchange(waiting_, {})) told({reply, failure, "", {}});
  for (const auto& call : std::exchange(calls_, {})) {
    if (!call->is_done) GiveUp(call, Status(StatusCode::kCancelled, "cancelled"));
  }
  syncs_.clear();
  world_->schedule().In(SecondsToNanos(kRecoverPauseS), Schedule::Kind::kTimer, CoordinatorParty(index_),
                        [this, life = life_] {
                          if (life != life_ || !is_alive()) return;
                          Rebuild();
                          is_recovering_ = false;
                          TurnSoon();
                        });
}

void CoordinatorProcess::ReplaceStore(const MemoryStore& store) { store_ = std::make_unique<MemoryStore>(store); }

std::string CoordinatorProcess::ReasonOf(const std::string& run_id) const {
  if (!is_alive()) return "the coordinator is not there";
  v1::RunInfo info;
  info.set_run_id(run_id);
  return core_->Describe(&info, machine_->Now()) ? info.state() + ": " + info.reason() : "ended";
}

}  // namespace fleetmark::simulation
