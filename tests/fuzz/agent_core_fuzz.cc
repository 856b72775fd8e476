#include <set>

#include "agent/agent_core.h"
#include "common/sha256.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/samples.h"
#include "tests/fuzz/script.h"
#include "tests/fuzz/text_message.h"

namespace fleetmark::fuzz {
namespace {

using agent::AgentCore;
using agent::CallId;

// An AgentCore with its journal and its workers. Calls may say anything; workers do only what they can. A coordinator
// may repeat a StartRun, but names the same incarnation and start_by each time, as the protocol has it.
class World {
 public:
  World() {
    journal_.incarnation = "incarnation-1";
    Begin();
  }

  void Do(std::string_view line) {
    const std::string_view word = TakeWord(&line);
    if (word == "fail") {
      fails_next_commit_ = true;
    } else if (word == "restart" || word == "reboot" || word == "lose") {
      Restart(word);
    } else if (word == "tick") {
      now_.boottime_ns += SecondsToNanos(NumberOf(line, 1e6));
      Step(agent::Tick{});
      const std::optional<int64_t> next = core_->NextDeadline();
      Require(!next || *next > now_.boottime_ns, "a Tick acts on every deadline that has come");
    } else if (!DoCall(word, line)) {
      DoMachine(word, line);
    }
  }

 private:
  bool DoCall(std::string_view word, std::string_view text) {
    if (word == "start") {
      v1::StartRunRequest request = SampleStart(std::string(TakeWord(&text)));
      request.set_incarnation(journal_.incarnation);
      request.mutable_start_by()->set_boot_id(boot_id_);
      request.mutable_start_by()->set_boottime_ns(now_.boottime_ns + 30 * kNanosPerSecond);
      MergeText(text, &request);
      const auto& plan = plans_.try_emplace(request.attempt_id(), request).first->second;
      request.set_incarnation(plan.incarnation());
      *request.mutable_start_by() = plan.start_by();
      StepCall(agent::StartRunCall{NewCall(), request, OkStatus()});
    } else if (word == "cancel") {
      v1::CancelRunRequest request;
      *request.mutable_fence() = SampleFence(1, 1);
      request.set_attempt_id(std::string(TakeWord(&text)));
      MergeText(text, &request);
      StepCall(agent::CancelRunCall{NewCall(), request});
    } else if (word == "sync") {
      v1::SyncRequest request;
      *request.mutable_fence() = SampleFence(1, 1);
      request.set_incarnation(journal_.incarnation);
      request.mutable_lease()->set_boot_id(boot_id_);
      MergeText(text, &request);
      AddAcks(&request);
      StepCall(agent::SyncCall{NewCall(), request});
    } else if (word == "drain") {
      v1::DrainRequest request;
      *request.mutable_fence() = SampleFence(1, 1);
      MergeText(text, &request);
      StepCall(agent::DrainCall{NewCall(), request});
    } else if (word == "gone") {
      const auto call = static_cast<CallId>(NumberOf(text, 1e6));
      Step(agent::CallGone{call});
      if (open_calls_.erase(call) > 0) gone_calls_.insert(call);
    } else {
      return false;
    }
    return true;
  }

  void DoMachine(std::string_view word, std::string_view text) {
    const std::string id(TakeWord(&text));
    if (word == "spawned" && spawning_.erase(id) > 0) {
      workers_.insert(id);
      Step(agent::WorkerSpawned{id, {100, 5, boot_id_}});
    } else if (word == "unspawned" && spawning_.erase(id) > 0) {
      Step(agent::SpawnFailed{id, Internal("no more processes")});
    } else if (word == "ended" && workers_.erase(id) > 0) {
      v1::AttemptReport draft = SampleReport(id);
      MergeText(text, &draft);
      if (draft.outcome() == "succeeded" && draft.has_result()) {
        draft.clear_failure();
      } else {
        draft.set_outcome("failed");
        draft.clear_result();
        draft.mutable_failure()->set_kind("crash");
      }
      Step(agent::WorkerEnded{id, draft});
    } else if (word == "stale" && stale_.erase(id) > 0) {
      Step(agent::StaleWorkerGone{id});
    } else if (word == "capacity") {
      Step(agent::CapacityChanged{text.empty() ? OkStatus() : ResourceExhausted(std::string(text))});
    } else if (word == "stop") {
      Step(agent::StopRequested{});
    } else if (word == "purge") {
      Step(agent::PurgeDue{});
    }
  }

  // "right" stands for the hash of what the agent reported.
  void AddAcks(v1::SyncRequest* request) {
    for (v1::Ack& ack : *request->mutable_acks()) {
      const auto attempt = journal_.attempts.find(ack.attempt_id());
      if (ack.sha256() == "right" && attempt != journal_.attempts.end()) ack.set_sha256(attempt->second.report_sha256);
    }
    acks_ = {request->acks().begin(), request->acks().end()};
  }

  // kill -9, with what that does to the workers; `word` says what else.
  void Restart(std::string_view word) {
    spawning_.clear();
    workers_.clear();
    stale_.clear();
    open_calls_.clear();
    if (word == "lose") {
      const std::string incarnation = journal_.incarnation + "+";
      journal_ = {};
      journal_.incarnation = incarnation;
    } else if (word == "reboot") {
      boot_id_ += "+";
      now_.boottime_ns = kNanosPerSecond;
    }
    fails_next_commit_ = false;
    Begin();
  }

  void Begin() {
    core_.emplace(AgentCore::Identity{boot_id_, "process"}, SampleOffer(), journal_);
    Step(agent::AgentStarted{});
  }

  CallId NewCall() {
    open_calls_.insert(++last_call_);
    return last_call_;
  }

  void StepCall(const agent::Event& event) {
    if (!Step(event)) open_calls_.erase(last_call_);  // whoever commits tells its caller
    acks_.clear();
  }

  // False when its commit failed.
  bool Step(const agent::Event& event) {
    agent::Outcome outcome;
    core_->BeginBatch();
    core_->Step(event, now_, &outcome);
    if (fails_next_commit_ && !outcome.writes.empty()) {
      core_->Rollback();
      fails_next_commit_ = false;
      UndoMachine(event);
      return false;
    }
    gates_.clear();
    for (const agent::JournalWrite& write : outcome.writes) {
      std::visit([this](const auto& typed) { Commit(typed); }, write);
    }
    for (const agent::Effect& effect : outcome.effects)
      std::visit([this](const auto& typed) { Perform(typed); }, effect);
    Require(open_calls_.size() <= 1, "every call but the newest Sync is answered at once");
    return true;
  }

  // The shell repeats what it could not commit.
  void UndoMachine(const agent::Event& event) {
    if (const auto* spawned = std::get_if<agent::WorkerSpawned>(&event)) {
      workers_.erase(spawned->attempt_id);
      spawning_.insert(spawned->attempt_id);
    } else if (const auto* failed = std::get_if<agent::SpawnFailed>(&event)) {
      spawning_.insert(failed->attempt_id);
    } else if (const auto* ended = std::get_if<agent::WorkerEnded>(&event)) {
      workers_.insert(ended->attempt_id);
    } else if (const auto* stale = std::get_if<agent::StaleWorkerGone>(&event)) {
      stale_.insert(stale->attempt_id);
    }
  }

  // As the journal keeps it: what is not journaled does not survive.
  void Commit(const agent::PutAttempt& write) {
    const std::string& id = write.attempt.request.attempt_id();
    Require(!id.empty() && journal_.retired.count(id) == 0, "what has been retired never comes back");
    agent::Attempt& stored = journal_.attempts[id] = write.attempt;
    Require(stored.report_sha256.empty(), "an attempt with a report stays as it is");
    stored.state = stored.process ? agent::AttemptState::kRunning : agent::AttemptState::kAccepted;
    if (stored.cause != agent::EndCause::kCancelled) stored.cause = agent::EndCause::kNone;
    stored.runtime_deadline_ns = stored.kill_at_ns = 0;
    if (stored.process) gates_.insert(id);
  }
  void Commit(const agent::PutReport& write) {
    const auto stored = journal_.attempts.find(write.attempt_id);
    Require(stored != journal_.attempts.end(), "a report is of an attempt in the journal");
    Require(reported_.insert(write.attempt_id).second, "an attempt has one report");
    Require(write.sha256 == Sha256Hex(write.bytes), "a report has its hash");
    v1::AttemptReport report;
    Require(report.ParseFromString(write.bytes) && report.attempt_id() == write.attempt_id, "a report can be read");
    Require((report.outcome() == "succeeded") == report.has_result(), "success alone has a result");
    Require((report.outcome() == "succeeded") != report.has_failure(), "everything else has a failure");
    stored->second.state = agent::AttemptState::kResultReady;
    stored->second.report_sha256 = write.sha256;
  }
  void Commit(const agent::RetireAttempt& write) {
    const auto stored = journal_.attempts.find(write.attempt_id);
    if (stored != journal_.attempts.end()) {
      bool is_acked = false;
      for (const v1::Ack& ack : acks_) {
        is_acked = is_acked || (ack.attempt_id() == write.attempt_id && ack.sha256() == stored->second.report_sha256);
      }
      Require(is_acked && !stored->second.report_sha256.empty(), "only what was acknowledged is pruned");
      journal_.attempts.erase(stored);
    }
    journal_.retired[write.attempt_id] = write.retired;
  }
  void Commit(const agent::ForgetRetired& write) { journal_.retired.erase(write.attempt_id); }
  void Commit(const agent::PutFence& write) {
    const agent::FenceRecord& before = journal_.fence;
    Require(before.cluster_id.empty() || before.cluster_id == write.fence.cluster_id, "an agent stays in its cluster");
    Require(std::make_tuple(write.fence.coordinator_epoch, write.fence.seq) >=
                std::make_tuple(before.coordinator_epoch, before.seq),
            "fences never go back");
    journal_.fence = write.fence;
  }
  void Commit(const agent::PutDraining& write) { journal_.is_draining = write.is_draining; }

  void Perform(const agent::SpawnWorker& effect) {
    Require(journal_.attempts.count(effect.attempt_id) == 1, "ACCEPTED is committed before the spawn");
    Require(spawned_.insert(effect.attempt_id).second, "an attempt spawns at most once");
    spawning_.insert(effect.attempt_id);
  }
  void Perform(const agent::OpenGate& effect) {
    Require(gates_.count(effect.attempt_id) == 1, "SPAWNED is committed before the gate opens");
  }
  void Perform(const agent::KillStaleWorker& effect) { stale_.insert(effect.attempt_id); }
  void Perform(const agent::Reply& effect) {
    Require(open_calls_.erase(effect.call) + gone_calls_.erase(effect.call) == 1, "a call is answered once");
    Require(effect.status.ok() || !effect.status.message().empty(), "a refusal says why");
  }
  void Perform(const agent::Stopped&) { Require(!core_->has_live_attempts(), "it stops when nothing runs"); }
  void Perform(const agent::SignalWorker&) {}
  void Perform(const agent::AnnounceStatus&) {}
  void Perform(const agent::LogLine&) {}

  std::optional<AgentCore> core_;
  agent::JournalContents journal_;
  std::string boot_id_ = kSampleBoot;
  Moment now_{1'700'000'000 * kNanosPerSecond, kSampleBoottimeNs};
  bool fails_next_commit_ = false;
  CallId last_call_ = 0;
  std::set<CallId> open_calls_, gone_calls_;
  std::vector<v1::Ack> acks_;                         // of the Sync in progress
  std::map<std::string, v1::StartRunRequest> plans_;  // the first of each attempt
  std::set<std::string> spawning_, workers_, stale_;  // that the machine has
  std::set<std::string> gates_;                       // journaled as SPAWNED by this step
  std::set<std::string> spawned_, reported_;          // ever
};

}  // namespace

// Protocol messages into an agent, through crashes, reboots and lost journals.
void Fuzz_agent_core(std::string_view input) {
  constexpr int kMostLines = 100;
  const std::string script = Plain(input);
  std::string_view rest = script;
  World world;
  for (int i = 0; i < kMostLines && !rest.empty(); ++i) world.Do(TakeLine(&rest));
}

}  // namespace fleetmark::fuzz
