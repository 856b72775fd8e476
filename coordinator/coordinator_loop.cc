#include "coordinator/coordinator_loop.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <set>
#include <utility>

#include "common/failpoint.h"
#include "common/files.h"

namespace fleetmark {
namespace {

constexpr std::chrono::milliseconds kRecoverPause(500);
// In one transaction. Many share its fsync, and whoever looks at the core meanwhile waits no longer than for these.
constexpr size_t kMostEvents = 64;

Status Stopping() { return Unavailable("the coordinator is stopping", "try again in a moment"); }

void Print(const LogLine& line) {
  switch (line.severity) {
    case Severity::kInfo:
      return spdlog::info("{}", line.text);
    case Severity::kWarning:
      return spdlog::warn("{}", line.text);
    case Severity::kError:
      return spdlog::error("{}", line.text);
  }
}

}  // namespace

CoordinatorLoop::CoordinatorLoop(Options options, Store* store, AgentCalls* calls, RunWatch* watch, const Clock* clock)
    : options_(std::move(options)), store_(store), calls_(calls), watch_(watch), clock_(clock) {}

CoordinatorLoop::~CoordinatorLoop() { Stop(); }

Status CoordinatorLoop::Start() {
  next_seq_ = options_.core.first_seq;
  FLEETMARK_RETURN_IF_ERROR(Rebuild());
  thread_ = std::thread([this] { Loop(); });
  return OkStatus();
}

void CoordinatorLoop::Stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

std::future<Reply> CoordinatorLoop::PostAsked(const std::function<Event(uint64_t)>& make) {
  const std::lock_guard lock(mutex_);
  std::promise<Reply> promise;
  std::future<Reply> answer = promise.get_future();
  const uint64_t reply = next_reply_++;
  if (is_stopping_) {
    promise.set_value({reply, Stopping(), "", {}});
    return answer;
  }
  waiting_.emplace(reply, std::move(promise));
  events_.push_back({kAlways, make(reply)});
  wake_.notify_one();
  return answer;
}

void CoordinatorLoop::Post(uint64_t generation, Event event) {
  const std::lock_guard lock(mutex_);
  if (is_stopping_) return;
  events_.push_back({generation, std::move(event)});
  wake_.notify_one();
}

bool CoordinatorLoop::View(const Look& look) {
  std::future<void> done;
  bool was_run = false;
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_) return false;
    looks_.push_back([&](const CoordinatorCore& core, Moment now) {
      look(core, now);
      was_run = true;
    });
    done = look_done_.emplace_back().get_future();
    wake_.notify_one();
  }
  done.wait();
  return was_run;
}

void CoordinatorLoop::WaitForEvents(std::vector<Posted>* events) {
  const Moment now = clock_->Now();
  // A bound on the wait keeps the sum of both clocks within what chrono can hold.
  const int64_t pause_ns = std::clamp<int64_t>(core_->NextWakeup(now) - now.boottime_ns, 0, 3600 * kNanosPerSecond);
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, std::chrono::nanoseconds(pause_ns),
                 [&] { return is_stopping_ || !events_.empty() || !looks_.empty(); });
  const auto end = events_.begin() + static_cast<std::ptrdiff_t>(std::min(events_.size(), kMostEvents));
  events->assign(std::make_move_iterator(events_.begin()), std::make_move_iterator(end));
  events_.erase(events_.begin(), end);
}

void CoordinatorLoop::ServeLooks() {
  std::vector<Look> looks;
  std::vector<std::promise<void>> done;
  {
    const std::lock_guard lock(mutex_);
    looks.swap(looks_);
    done.swap(look_done_);
  }
  for (const Look& look : looks) look(*core_, clock_->Now());
  for (std::promise<void>& promise : done) promise.set_value();
}

void CoordinatorLoop::StepAll(const std::vector<Posted>& events, Effects* effects) {
  std::set<std::string> submitted;  // in this batch, so the store does not know them yet
  for (const Posted& posted : events) {
    if (posted.generation != kAlways && posted.generation != generation_) continue;
    if (const auto* submit = std::get_if<SubmitAsked>(&posted.event)) {
      if (!submitted.insert(submit->request.request_id()).second) {
        Post(posted.generation, posted.event);  // the next batch finds the first one's job
        continue;
      }
      if (AnswerSubmit(*submit)) continue;
    }
    core_->Step(posted.event, clock_->Now(), effects);
  }
  const Moment now = clock_->Now();
  if (core_->NextWakeup(now) <= now.boottime_ns) core_->Step(Ticked{}, now, effects);
}

Status CoordinatorLoop::Commit(const std::vector<Write>& writes, size_t events) {
  if (writes.empty()) return OkStatus();
  const int64_t began_ns = clock_->Now().boottime_ns;
  Status status = store_->Commit(writes);
  const double took_ms = static_cast<double>(clock_->Now().boottime_ns - began_ns) * 1e-6;
  spdlog::debug("committed {} writes of {} events in {:.3f} ms", writes.size(), events, took_ms);
  return status;
}

void CoordinatorLoop::Loop() {
  for (;;) {
    std::vector<Posted> events;
    WaitForEvents(&events);
    {
      const std::lock_guard lock(mutex_);
      if (is_stopping_) break;
    }
    Effects effects;
    StepAll(events, &effects);
    const Status committed = Commit(effects.writes, events.size());
    if (!committed.ok()) {
      Recover(committed);
      continue;
    }
    ServeLooks();
    Act(std::move(effects));
  }
  calls_->CancelAll();
  const std::lock_guard lock(mutex_);
  AnswerEverybody(Stopping());
  for (std::promise<void>& promise : look_done_) promise.set_value();
  look_done_.clear();
  looks_.clear();
}

bool CoordinatorLoop::AnswerSubmit(const SubmitAsked& submit) {
  const StatusOr<std::optional<v1::SubmitResponse>> known = store_->FindSubmission(submit.request.request_id());
  if (!known.ok()) {
    Answer({submit.reply, known.status(), "", {}});
    return true;
  }
  if (known->has_value()) {
    Answer({submit.reply, OkStatus(), "", **known});
    return true;
  }
  const StatusOr<double> free_bytes = FreeBytes(options_.state_dir);
  if (free_bytes.ok() && *free_bytes >= options_.min_free_bytes) return false;
  const Status status =
      free_bytes.ok()
          ? ResourceExhausted("the coordinator's disk is nearly full: " + std::to_string(*free_bytes / 1e6) +
                                  " MB are free for " + options_.state_dir.string() + ", " +
                                  std::to_string(options_.min_free_bytes / 1e6) + " MB are kept for results",
                              "free some space there; jobs that were accepted go on", "disk_full")
          : free_bytes.status();
  Answer({submit.reply, status, "", {}});
  return true;
}

void CoordinatorLoop::Act(Effects effects) {
  for (const LogLine& line : effects.log) Print(line);
  for (const Call& call : effects.calls) {
    if (const auto* look_up = std::get_if<LookUp>(&call)) {
      StatusOr<std::optional<AttemptRecord>> attempt = store_->FindAttempt(look_up->attempt_id);
      if (attempt.ok()) Post(generation_, LookedUp{look_up->agent_id, look_up->attempt_id, std::move(*attempt)});
      continue;
    }
    calls_->Perform(call, [this, generation = generation_](Event event) { Post(generation, std::move(event)); });
    ServeLooks();  // a thousand calls take a while
  }
  for (Reply& reply : effects.replies) {
    FailPoint("coordinator.before_reply");
    Answer(std::move(reply));
  }
  if (!effects.changed_runs.empty()) watch_->TellChanged(effects.changed_runs);
}

void CoordinatorLoop::Answer(Reply reply) {
  const std::lock_guard lock(mutex_);
  const auto found = waiting_.find(reply.reply);
  if (found == waiting_.end()) return;
  found->second.set_value(std::move(reply));
  waiting_.erase(found);
}

void CoordinatorLoop::AnswerEverybody(const Status& status) {
  for (auto& [reply, promise] : waiting_) promise.set_value({reply, status, "", {}});
  waiting_.clear();
}

Status CoordinatorLoop::Rebuild() {
  FLEETMARK_ASSIGN_OR_RETURN(const StoredState stored, store_->Load());
  CoreConfig config = options_.core;
  config.first_seq = next_seq_;
  // The core that is replaced may have granted leases of its own.
  if (generation_ > 0) config.epoch.previous_lease_s = std::max(config.epoch.previous_lease_s, config.lease_s);
  ++generation_;
  core_ = std::make_unique<CoordinatorCore>(config, stored, clock_->Now());
  return OkStatus();
}

void CoordinatorLoop::Recover(const Status& failure) {
  spdlog::error("could not store: {}; nothing was sent, beginning again from what is stored", failure.ToString());
  {
    // Whoever is told that it failed must not find it done later: what waits behind the failed batch goes with it.
    const std::lock_guard lock(mutex_);
    events_.clear();
    AnswerEverybody(failure);
  }
  // Agents may have seen every seq up to the last one.
  next_seq_ = core_->last_seq() + 1;
  calls_->CancelAll();
  for (;;) {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, kRecoverPause, [&] { return is_stopping_; });
    if (is_stopping_) return;
    lock.unlock();
    const Status status = Rebuild();
    if (status.ok()) return;
    spdlog::error("could not load the store: {}", status.ToString());
  }
}

}  // namespace fleetmark
