#include "tests/fuzz/coordinator_world.h"

#include <algorithm>
#include <variant>

#include "common/files.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/samples.h"
#include "tests/fuzz/scratch_directory.h"
#include "tests/fuzz/script.h"
#include "tests/fuzz/text_message.h"

namespace fleetmark::fuzz {
namespace {

const ScratchDirectory& Scratch() {
  static const ScratchDirectory directory;
  return directory;
}

// Making a store anew takes ten times as long as copying one.
std::filesystem::path FreshStore() {
  static const std::string empty = [] {
    const std::filesystem::path path = Scratch().path() / "empty.db";
    Require(OpenSqliteStore(path).ok(), "a store can be made");
    const StatusOr<std::string> bytes = ReadFile(path);
    Require(bytes.ok(), "a store can be read");
    return *bytes;
  }();
  Scratch().RemoveContents();
  return Scratch().Write("coordinator.db", empty);
}

// The N-th of what is under way, taken out of it; nothing when nothing is.
template <typename T>
std::optional<T> Take(std::vector<T>* under_way, std::string_view* rest) {
  const auto index = static_cast<size_t>(NumberOf(TakeWord(rest), 1e3));
  if (under_way->empty()) return std::nullopt;
  const auto place = under_way->begin() + static_cast<std::ptrdiff_t>(index % under_way->size());
  T taken = *place;
  under_way->erase(place);
  return taken;
}

// "14 busy the machine is taken": code, kind, message. Never OK.
Status FailureOf(std::string_view rest) {
  const int code = static_cast<int>(NumberOf(TakeWord(&rest), 16));
  const std::string kind(TakeWord(&rest));
  return Status(code == 0 ? StatusCode::kUnavailable : static_cast<StatusCode>(code), "it failed", "", kind);
}

std::string NameAt(const std::string& address) { return address.substr(0, address.find(':')); }

}  // namespace

CoordinatorWorld::CoordinatorWorld() : now_{1'700'000'000 * kNanosPerSecond, kSampleBoottimeNs} {
  const std::filesystem::path path = FreshStore();
  store_ = std::move(OpenSqliteStore(path)).value();
  reader_ = MakeSqliteReader(path);
  Restart(false);
}

CoordinatorWorld::~CoordinatorWorld() = default;

// add NAME DESCRIPTION, join NAME, remove NAME, drain NAME, resume NAME, submit ID REQUEST, cancel N, keep PROFILE,
// forget FILTER: people. described N DESCRIPTION, synced N RESPONSE, ordered N STATUS, fetched N REPORT, looked N:
// agents and the store, about the N-th call under way; undescribed, unsynced, unordered, unfetched N CODE KIND:
// failures. tick SECONDS, restart, fail (of the next commit).
void CoordinatorWorld::Do(std::string_view line) {
  const std::string_view word = TakeWord(&line);
  if (word == "tick") {
    Tick(NumberOf(line, 1e6));
  } else if (word == "restart") {
    Restart(false);
  } else if (word == "fail") {
    fails_next_commit_ = true;
  } else if (!DoPerson(word, line)) {
    DoAgent(word, line);
  }
}

bool CoordinatorWorld::DoPerson(std::string_view word, std::string_view rest) {
  const std::string name(word == "keep" || word == "forget" ? "" : TakeWord(&rest));
  const uint64_t reply = last_reply_ + 1;
  if (word == "add") {
    v1::AgentDescription claimed = SampleDescription(name);
    MergeText(rest, &claimed);
    Step(AddAgentAsked{reply, name + ":1", claimed});
  } else if (word == "join") {
    Step(AddAgentAsked{reply, name + ":1", std::nullopt});
  } else if (word == "remove") {
    Step(RemoveAgentAsked{reply, name});
  } else if (word == "drain" || word == "resume") {
    Step(DrainAsked{reply, name, word == "drain"});
  } else if (word == "submit") {
    v1::SubmitRequest request;
    request.set_workload("work");
    MergeText(rest, &request);
    request.set_request_id(name);
    if (request.repeat() > 3) request.set_repeat(3);  // thousands are right, and slow
    const auto known = store_->FindSubmission(name);
    if (known.ok() && !known->has_value()) Step(SubmitAsked{reply, request});
  } else if (word == "cancel") {
    if (runs_.empty()) return true;
    Step(CancelAsked{reply, {runs_[static_cast<size_t>(NumberOf(name, 1e3)) % runs_.size()]}, std::string(rest)});
  } else if (word == "keep") {
    v1::TunedProfile profile;
    profile.set_workload("work");
    MergeText(rest, &profile);
    Step(KeepProfilesAsked{reply, {profile}});
  } else if (word == "forget") {
    v1::ProfileFilter filter;
    MergeText(rest, &filter);
    Step(ForgetProfilesAsked{reply, filter});
  } else {
    return false;
  }
  return true;
}

void CoordinatorWorld::DoAgent(std::string_view word, std::string_view rest) {
  if (word == "described") return AnswerDescribe(rest);
  if (word == "synced") return AnswerSync(rest);
  if (word == "ordered") return AnswerOrder(rest);
  if (word == "fetched") {
    const auto call = Take(&fetches_, &rest);
    if (!call) return;
    v1::AttemptReport report = SampleReport(call->attempt_id);
    MergeText(rest, &report);
    Step(Fetched{call->agent_id, call->attempt_id, call->sha256, OkStatus(), report.SerializeAsString(), "log"});
  } else if (word == "looked") {
    const auto call = Take(&look_ups_, &rest);
    if (call) Step(LookedUp{call->agent_id, call->attempt_id, *store_->FindAttempt(call->attempt_id)});
  } else if (word == "undescribed") {
    if (const auto call = Take(&describes_, &rest)) Step(Described{call->call, FailureOf(rest), {}});
  } else if (word == "unsynced") {
    if (const auto call = Take(&syncs_, &rest)) Step(Synced{call->call, call->agent_id, FailureOf(rest), {}});
  } else if (word == "unordered") {
    if (const auto call = Take(&orders_, &rest)) Step(OrderAnswered{call->agent_id, FailureOf(rest), {}});
  } else if (word == "unfetched") {
    const auto call = Take(&fetches_, &rest);
    if (call) Step(Fetched{call->agent_id, call->attempt_id, call->sha256, FailureOf(rest), "", ""});
  }
}

bool CoordinatorWorld::AnswerFetch(const std::string& bytes) {
  if (fetches_.empty()) return false;
  const FetchCall call = fetches_.front();
  fetches_.erase(fetches_.begin());
  Step(Fetched{call.agent_id, call.attempt_id, call.sha256, OkStatus(), bytes, "log"});
  return true;
}

void CoordinatorWorld::AnswerDescribe(std::string_view rest) {
  const auto call = Take(&describes_, &rest);
  if (!call) return;
  v1::AgentDescription description = SampleDescription(NameAt(call->address));
  MergeText(rest, &description);
  Step(Described{call->call, OkStatus(), description});
}

void CoordinatorWorld::AnswerSync(std::string_view rest) {
  const auto call = Take(&syncs_, &rest);
  if (!call) return;
  const v1::AgentDescription description = SampleDescription(NameAt(call->address));
  v1::SyncResponse response;
  response.set_boot_id(kSampleBoot);
  response.set_boottime_ns(now_.boottime_ns + 5);
  response.set_incarnation(description.incarnation());
  response.set_process_id(description.process_id());
  response.set_revision(call->request.known_revision() + 1);
  MergeText(rest, &response);
  for (v1::AttemptStatus& status : *response.mutable_attempts()) status.set_attempt_id(Named(status.attempt_id()));
  for (v1::PendingResult& result : *response.mutable_pending_results()) {
    result.set_attempt_id(Named(result.attempt_id()));
  }
  Step(Synced{call->call, call->agent_id, OkStatus(), response});
}

void CoordinatorWorld::AnswerOrder(std::string_view rest) {
  const auto call = Take(&orders_, &rest);
  if (!call) return;
  v1::AttemptStatus status;
  status.set_state("running");
  if (const auto* start = std::get_if<v1::StartRunRequest>(&call->request)) status.set_attempt_id(start->attempt_id());
  MergeText(rest, &status);
  Step(OrderAnswered{call->agent_id, OkStatus(), status});
}

std::string CoordinatorWorld::Named(const std::string& word) const {
  if (word.size() != 2 || word[0] != 'A' || word[1] < '0' || word[1] > '9') return word;
  const auto index = static_cast<size_t>(word[1] - '0');
  return index < attempts_.size() ? attempts_[index] : word;
}

void CoordinatorWorld::Tick(double seconds) {
  now_.boottime_ns += SecondsToNanos(seconds);
  now_.unix_ns += SecondsToNanos(seconds);
  // One deadline may bring about another at once: an agent that has become silent is called anew. And runs are sent
  // in parts.
  constexpr int kMostTicks = 8;
  for (int i = 0; i == 0 || (i < kMostTicks && core_->NextWakeup(now_) <= now_.boottime_ns); ++i) Step(Ticked{});
  Require(core_->NextWakeup(now_) > now_.boottime_ns, "a few Ticked act on every deadline that has come");
}

// A new process from what is stored; or the same process, after a commit that failed.
void CoordinatorWorld::Restart(bool is_same_process) {
  describes_.clear();
  syncs_.clear();
  orders_.clear();
  fetches_.clear();
  look_ups_.clear();
  asked_.clear();
  if (is_same_process) {
    config_.first_seq = core_->last_seq() + 1;
    config_.epoch.previous_lease_s = std::max(config_.epoch.previous_lease_s, config_.lease_s);
  } else {
    config_ = {};
    config_.dispatched_at_once = 1;
    config_.epoch = std::move(store_->BeginEpoch(config_.lease_s)).value();
    config_.instance_id = "instance " + std::to_string(++starts_);
  }
  core_ = std::make_unique<CoordinatorCore>(config_, *store_->Load(), now_);
}

void CoordinatorWorld::Step(const Event& event) {
  std::visit(
      [this](const auto& typed) {
        if constexpr (requires { typed.reply; }) asked_.insert(last_reply_ = typed.reply);
      },
      event);
  Effects effects;
  core_->Step(event, now_, &effects);
  if (!Commit(effects)) return Restart(true);
  for (const Call& call : effects.calls) std::visit([this](const auto& typed) { Perform(typed); }, call);
  for (const Reply& reply : effects.replies) {
    Require(asked_.erase(reply.reply) == 1, "a request is answered once");
    Require(reply.status.ok() || !reply.status.message().empty(), "a refusal says why");
    runs_.insert(runs_.end(), reply.submitted.run_ids().begin(), reply.submitted.run_ids().end());
  }
}

bool CoordinatorWorld::Commit(const Effects& effects) {
  if (effects.writes.empty()) return true;
  if (std::exchange(fails_next_commit_, false)) return false;
  const Status status = store_->Commit(effects.writes);
  Require(status.ok(), "what the core writes can be stored: " + status.ToString());
  for (const Write& write : effects.writes) {
    if (const auto* put = std::get_if<PutReport>(&write)) stored_reports_.insert({put->attempt_id, put->sha256});
    if (const auto* kept = std::get_if<KeepReport>(&write)) stored_reports_.insert({kept->attempt_id, kept->sha256});
  }
  return true;
}

void CoordinatorWorld::Perform(const DescribeCall& call) { describes_.push_back(call); }

void CoordinatorWorld::Perform(const SyncCall& call) {
  CheckFence(call.agent_id, call.request.fence(), false);
  for (const v1::Ack& ack : call.request.acks()) {
    Require(stored_reports_.contains({ack.attempt_id(), ack.sha256()}), "only what is stored is acknowledged");
  }
  syncs_.push_back(call);
}

void CoordinatorWorld::Perform(const EndSync& call) {
  std::erase_if(syncs_, [&](const SyncCall& sync) { return sync.call == call.call; });
}

void CoordinatorWorld::Perform(const OrderCall& call) {
  std::visit([&](const auto& request) { CheckFence(call.agent_id, request.fence(), true); }, call.request);
  Require(std::none_of(orders_.begin(), orders_.end(),
                       [&](const OrderCall& other) { return other.agent_id == call.agent_id; }),
          "an agent has one order at a time");
  if (const auto* start = std::get_if<v1::StartRunRequest>(&call.request)) {
    const auto stored = *store_->FindAttempt(start->attempt_id());
    Require(stored && stored->state == AttemptState::kDispatched, "an attempt is stored before its StartRun leaves");
    Require(std::find(attempts_.begin(), attempts_.end(), start->attempt_id()) == attempts_.end(),
            "an attempt has one StartRun");
    attempts_.push_back(start->attempt_id());
  }
  orders_.push_back(call);
}

void CoordinatorWorld::Perform(const FetchCall& call) {
  Require(std::none_of(fetches_.begin(), fetches_.end(),
                       [&](const FetchCall& other) {
                         return other.agent_id == call.agent_id && other.attempt_id == call.attempt_id;
                       }),
          "a report is fetched once at a time");
  fetches_.push_back(call);
}

void CoordinatorWorld::Perform(const LookUp& call) { look_ups_.push_back(call); }
void CoordinatorWorld::Perform(const ResetConnection&) {}

void CoordinatorWorld::CheckFence(const std::string& agent_id, const v1::Fence& fence, bool is_order) {
  const auto last = fences_.find(agent_id);
  const std::pair<int, double> own{fence.coordinator_epoch(), fence.seq()};
  Require(last == fences_.end() || (is_order ? own > last->second : own >= last->second), "fences never go back");
  if (is_order) fences_[agent_id] = own;
}

}  // namespace fleetmark::fuzz
