#include "tests/simulation/monitor.h"

#include <tuple>

#include "common/run_spec.h"

namespace fleetmark::simulation {
namespace {

// An agent that runs short workloads one after the other is called some ten times for each.
constexpr int kMostCallsPerSecond = 150;

[[noreturn]] void Fail(int invariant, std::string what) { throw Violation{invariant, std::move(what)}; }

bool IsForced(const AttemptRecord& attempt) { return attempt.failure.kind() == "agent_removed"; }

}  // namespace

void Monitor::OnSpawn(const Machine& machine, const Worker& worker, const v1::RunSpec& spec,
                      const v1::WorkloadSpec& offered) {
  if (machine.workers().size() > 1) Fail(1, "two live workers on " + machine.name());
  if (++spawns_[worker.attempt_id] > 1) Fail(2, "attempt " + worker.attempt_id + " spawned twice");
  if (tombstones_.contains(worker.attempt_id)) {
    Fail(8, "attempt " + worker.attempt_id + " spawned after its cancel was confirmed");
  }
  if (refused_.contains(worker.attempt_id)) {
    Fail(9, "attempt " + worker.attempt_id + " spawned after the coordinator had counted it as refused");
  }
  if (!CheckParameters(offered, {spec.parameters().begin(), spec.parameters().end()}).ok()) {
    Fail(12, "attempt " + worker.attempt_id + " spawned with parameters out of bounds");
  }
}

void Monitor::OnGateOpen(const Worker& worker) {
  if (is_copied_) return;
  for (const auto& machine : *machines_) {
    for (const Worker& other : machine->workers()) {
      if (other.attempt_id == worker.attempt_id || other.run_id != worker.run_id) continue;
      if (!other.is_gate_open || other.is_excused) continue;
      Fail(9, "run " + worker.run_id + " runs twice: as attempt " + other.attempt_id + " and as " + worker.attempt_id);
    }
  }
}

v1::Fence Monitor::FenceOf(const std::string& journal) const {
  const auto found = fences_.find(journal);
  return found == fences_.end() ? v1::Fence() : found->second;
}

void Monitor::OnFenceAccepted(const std::string& journal, const v1::Fence& fence) {
  const auto [known, is_first] = fences_.try_emplace(journal, fence);
  if (is_first) return;
  v1::Fence& highest = known->second;
  const bool is_other = fence.cluster_id() != highest.cluster_id() ||
                        (fence.coordinator_epoch() == highest.coordinator_epoch() &&
                         fence.coordinator_instance_id() != highest.coordinator_instance_id());
  if (is_other || std::make_tuple(fence.coordinator_epoch(), fence.seq()) <
                      std::make_tuple(highest.coordinator_epoch(), highest.seq())) {
    Fail(6, "an agent accepted a call with an older fence, or of another coordinator");
  }
  highest = fence;
}

void Monitor::OnStartAccepted(const v1::StartRunRequest& request, const v1::AttemptStatus& status) {
  if (status.state() == "tombstone") return;
  const auto [known, is_first] = specs_.try_emplace(request.attempt_id(), request.spec_sha256());
  if (!is_first && known->second != request.spec_sha256()) {
    Fail(7, "attempt " + request.attempt_id() + " was accepted with another specification");
  }
}

void Monitor::OnCancelAccepted(const std::string& attempt_id, const v1::AttemptStatus& status) {
  if (status.state() == "tombstone") tombstones_.insert(attempt_id);
}

void Monitor::OnPruned(const std::string& attempt_id, const std::string& sha256) {
  if (stored_.contains({attempt_id, sha256})) return;
  Fail(4, "an agent pruned the report of attempt " + attempt_id + ", which no coordinator has stored");
}

void Monitor::OnCalled(int agent, int64_t now_ns) {
  auto& [second, count] = calls_[agent];
  if (second != now_ns / kNanosPerSecond) count = 0;
  second = now_ns / kNanosPerSecond;
  if (++count > kMostCallsPerSecond) Fail(0, "an agent is called again and again without a pause");
}

void Monitor::OnStartSent(const MemoryStore& store, const v1::StartRunRequest& request) {
  const auto attempt = store.attempts().find(request.attempt_id());
  if (attempt == store.attempts().end())
    Fail(3, "StartRun left before attempt " + request.attempt_id() + " was stored");
  if (HasEnded(attempt->second)) {
    Fail(3, "StartRun left for attempt " + request.attempt_id() +
                ", which has ended: " + attempt->second.failure.kind() + " " + attempt->second.failure.message());
  }
}

void Monitor::OnSyncSent(const MemoryStore& store, const v1::SyncRequest& request) {
  for (const v1::Ack& ack : request.acks()) {
    const auto report = store.reports().find(ack.attempt_id());
    const bool is_stored = report != store.reports().end() && report->second.sha256 == ack.sha256();
    if (is_stored || store.kept().contains({ack.attempt_id(), ack.sha256()})) continue;
    Fail(4, "attempt " + ack.attempt_id() + " was acknowledged before its report was stored");
  }
}

void Monitor::OnCommitted(const MemoryStore& store, const std::vector<Write>& writes) {
  for (const Write& write : writes) {
    if (const auto* report = std::get_if<PutReport>(&write)) {
      stored_.emplace(report->attempt_id, report->sha256);
    } else if (const auto* kept = std::get_if<KeepReport>(&write)) {
      stored_.emplace(kept->attempt_id, kept->sha256);
    } else if (const auto* run = std::get_if<PutRun>(&write)) {
      CheckRun(store, store.runs().at(run->run.run_id));
    } else if (const auto* attempt = std::get_if<PutAttempt>(&write)) {
      CheckAttempt(store, store.attempts().at(attempt->attempt.attempt_id));
    }
  }
}

void Monitor::OnCommitFailed(const Status& status) {
  if (status.kind() != "disk_full") Fail(5, status.message());
}

void Monitor::CheckRun(const MemoryStore& store, const RunRecord& run) {
  const auto ended = ended_.find({&store, run.run_id});
  if (ended != ended_.end() && ended->second != run.state) {
    Fail(5, "run " + run.run_id + " had ended as " + std::string(RunStateName(ended->second)) + " and is now " +
                std::string(RunStateName(run.state)));
  }
  if (IsTerminal(run.state)) ended_[{&store, run.run_id}] = run.state;
  if (run.state == RunState::kSucceeded && !store.HasCanonical(run.run_id)) {
    Fail(5, "run " + run.run_id + " succeeded without a result");
  }
  int live = 0;
  for (const AttemptRecord* attempt : store.AttemptsOf(run.run_id)) live += HasEnded(*attempt) ? 0 : 1;
  if (live > 1) Fail(9, "run " + run.run_id + " has " + std::to_string(live) + " attempts that may still run");
  if (live > 0 && IsTerminal(run.state)) Fail(9, "run " + run.run_id + " has ended, and an attempt of it has not");
}

void Monitor::CheckAttempt(const MemoryStore& store, const AttemptRecord& attempt) {
  // Beside a copy it may have run, been told to the copy and be forgotten.
  if (attempt.state == AttemptState::kRefused && !is_copied_) {
    if (spawns_.contains(attempt.attempt_id)) Fail(9, "attempt " + attempt.attempt_id + " counts as refused and ran");
    refused_.insert(attempt.attempt_id);
  }
  if (attempt.failure.kind() == "lease_expired" && !attempt.kill_on_disconnect) {
    Fail(9, "attempt " + attempt.attempt_id + " needs no lease and was ended for the lack of one");
  }
  if (!HasEnded(attempt) || store.reports().contains(attempt.attempt_id) || IsForced(attempt) || is_copied_) return;
  // Ended without a report: nobody may find it running.
  for (const auto& machine : *machines_) {
    const Worker* worker = machine->FindOf(attempt.attempt_id);
    if (worker == nullptr || worker->is_excused) continue;
    Fail(9, "attempt " + attempt.attempt_id + " was given up (" + attempt.failure.kind() + ") while it runs");
  }
}

void Monitor::OnAccepted(const std::string& request_id, const std::string& job_id) {
  const auto [known, is_first] = accepted_.try_emplace(request_id, job_id);
  if (!is_first && known->second != job_id) Fail(5, "request " + request_id + " became two jobs");
}

void Monitor::OnRestored(const MemoryStore& backup) {
  is_copied_ = true;
  ended_.clear();
  std::erase_if(accepted_, [&](const auto& entry) { return !backup.HasJob(entry.second); });
}

void Monitor::CheckAllEnded(const MemoryStore& store) const {
  for (const auto& [request, job] : accepted_) {
    if (!store.HasJob(job)) Fail(10, "job " + job + " was accepted and is gone");
  }
  for (const auto& [id, run] : store.runs()) {
    if (!IsTerminal(run.state)) Fail(10, "run " + id + " never ends");
  }
}

}  // namespace fleetmark::simulation
