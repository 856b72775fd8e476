#include "tests/simulation/staged_fleet.h"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace fleetmark::simulation {
namespace {

constexpr double kJobTimeoutS = 600;

bool IsSame(const Request& one, const Request& other) {
  if (one.index() != other.index()) return false;
  return std::visit(
      [&](const auto& typed) {
        using T = std::decay_t<decltype(typed)>;
        const T& second = std::get<T>(other);
        if constexpr (std::is_same_v<T, FetchReport>) {
          return typed.attempt_id == second.attempt_id && typed.sha256 == second.sha256;
        } else {
          return google::protobuf::util::MessageDifferencer::Equals(typed, second);
        }
      },
      one);
}

bool IsLease(const Message& message) { return std::get<v1::SyncRequest>(message.request).has_lease(); }

}  // namespace

MessageTest LeaseTo(int agent) {
  return [is_sync = RequestOf<v1::SyncRequest>(agent)](const Message& message) {
    return is_sync(message) && IsLease(message);
  };
}

MessageTest AnswerToLease(int agent) {
  return [is_sync = AnswerTo<v1::SyncRequest>(agent)](const Message& message) {
    return is_sync(message) && IsLease(message) && message.answer->status.ok();
  };
}

void StagedFleet::Begin(int agents, int machines) {
  Plan plan;
  plan.seed = 1;
  plan.machines = machines;
  plan.agents = agents;
  plan.safety_s = 3600;
  world_ = std::make_unique<World>(plan, nullptr);
  world_->network().interceptor = [this](Message message) { return Intercept(std::move(message)); };
  world_->Start();
  for (int i = 0; i < agents; ++i) ASSERT_TRUE(UntilLeasedAnew(i));
}

void StagedFleet::TearDown() {
  if (world_ == nullptr || HasFailure()) return;
  world_->network().interceptor = nullptr;
  for (const auto& machine : world_->machines()) machine->keeps_orphans = false;
  Guard([&] {
    world_->Finish();
    return true;
  });
}

bool StagedFleet::Until(const std::function<bool()>& is_so, double within_s) {
  const double until_s = world_->schedule().now_s() + within_s;
  return Guard([&] {
    while (!is_so()) {
      if (world_->Step(until_s)) continue;
      ADD_FAILURE() << "it was not so within " << within_s << " s";
      return false;
    }
    return true;
  });
}

bool StagedFleet::Pass(double seconds) {
  const double until_s = world_->schedule().now_s() + seconds;
  return Guard([&] {
    while (world_->Step(until_s)) {
    }
    return true;
  });
}

bool StagedFleet::Guard(const std::function<bool()>& act) {
  try {
    return act();
  } catch (const Violation& violation) {
    ADD_FAILURE() << "invariant " << violation.invariant << ": " << violation.what;
    return false;
  }
}

bool StagedFleet::Intercept(Message message) {
  sent_.push_back(message);
  const auto hook = std::find_if(hooks_.begin(), hooks_.end(), [&](const Hook& one) { return one.is_it(message); });
  if (hook != hooks_.end()) {
    *hook->held = std::move(message);
    hooks_.erase(hook);
    return true;
  }
  return is_lost_ && is_lost_(message);
}

Held StagedFleet::Hold(MessageTest is_it) {
  hooks_.push_back({std::move(is_it), std::make_shared<std::optional<Message>>()});
  return hooks_.back().held;
}

bool StagedFleet::UntilSent(const Held& held, double within_s) {
  return Until([&] { return held->has_value(); }, within_s);
}

Answer StagedFleet::Deliver(const Held& held, bool is_second) {
  const Message& message = held->value();
  size_t seen = sent_.size();
  message.deliver(is_second);
  const auto is_answered = [&] {
    for (; seen < sent_.size(); ++seen) {
      const Message& sent = sent_[seen];
      if (sent.answer && sent.agent == message.agent && sent.coordinator == message.coordinator &&
          IsSame(sent.request, message.request)) {
        return true;
      }
    }
    return false;
  };
  return Until(is_answered) ? *sent_[seen].answer : Answer();
}

void StagedFleet::Cut(int agent) {
  Link& link = world_->network().Between(0, agent);
  link.cut_to_agent_until_ns = link.cut_from_agent_until_ns = std::numeric_limits<int64_t>::max();
}

std::string StagedFleet::Submit(const Job& job) {
  Incident submit{IncidentKind::kSubmit};
  submit.target = job.target;
  submit.retries = job.retries;
  submit.timeout_s = kJobTimeoutS;
  submit.steps = job.steps;
  std::vector<std::string> known;
  for (const auto& [id, run] : store().runs()) known.push_back(id);
  world_->Happen(submit);
  Until([&] { return store().runs().size() > known.size(); });
  for (const auto& [id, run] : store().runs()) {
    if (std::find(known.begin(), known.end(), id) == known.end()) return id;
  }
  return "";
}

void StagedFleet::Cancel(const std::string& run_id) {
  CancelAsked asked;
  asked.run_ids = {run_id};
  world_->coordinator().Ask(asked, [](const fleetmark::Reply&) {});
}

void StagedFleet::RestartCoordinator() {
  world_->coordinator().Crash();
  world_->coordinator().Start();
}

bool StagedFleet::UntilEnded(const std::string& run_id, double within_s) {
  return Until([&] { return IsTerminal(Run(run_id).state); }, within_s);
}

bool StagedFleet::UntilRunning(int agent, double within_s) {
  return Until(
      [&] {
        const auto& workers = machine_of(agent).workers();
        return std::any_of(workers.begin(), workers.end(),
                           [&](const Worker& worker) { return worker.agent == agent && worker.is_gate_open; });
      },
      within_s);
}

bool StagedFleet::UntilLeasedAnew(int agent) {
  const MessageTest is_lease = AnswerToLease(agent);
  const int before = Count(is_lease);
  return Until([&] { return Count(is_lease) > before; });
}

int StagedFleet::Count(const MessageTest& is_it) const {
  return static_cast<int>(std::count_if(sent_.begin(), sent_.end(), is_it));
}

}  // namespace fleetmark::simulation
