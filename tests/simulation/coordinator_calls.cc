#include <algorithm>
#include <utility>

#include "common/sha256.h"
#include "tests/simulation/agent_process.h"
#include "tests/simulation/coordinator_process.h"
#include "tests/simulation/world.h"

// How a simulated coordinator reaches its agents: what Dispatcher and gRPC do in the real program.
namespace fleetmark::simulation {
namespace {

// Those of coordinator/dispatcher.cc.
constexpr double kDescribeDeadlineS = 5;
constexpr double kOrderDeadlineS = 10;
constexpr double kSyncMarginS = 5;
// How long an agent may take to see that a caller has gone: AgentLoop looks once a second.
constexpr int64_t kGoneSeenWithinNs = kNanosPerSecond;

Answer Failed(Status status) {
  Answer answer;
  answer.status = std::move(status);
  return answer;
}

}  // namespace

void CoordinatorProcess::Perform(const fleetmark::Call& call) {
  if (const auto* describe = std::get_if<DescribeCall>(&call)) {
    CallAgent(
        describe->address, v1::DescribeRequest(), kDescribeDeadlineS,
        [number = describe->call](Answer answer) {
          return Described{number, std::move(answer.status), std::move(answer.description)};
        },
        describe->call);
  } else if (const auto* sync = std::get_if<SyncCall>(&call)) {
    world_->monitor().OnSyncSent(*store_, sync->request);
    CallAgent(
        sync->address, sync->request, sync->request.wait_s() + kSyncMarginS,
        [number = sync->call, agent_id = sync->agent_id](Answer answer) {
          return Synced{number, agent_id, std::move(answer.status), std::move(answer.sync)};
        },
        sync->call, true);
  } else if (const auto* end = std::get_if<EndSync>(&call)) {
    auto found = syncs_.extract(end->call);
    if (!found.empty() && !found.mapped()->is_done) {
      GiveUp(found.mapped(), Status(StatusCode::kCancelled, "cancelled"));
    }
  } else if (const auto* order = std::get_if<OrderCall>(&call)) {
    if (const auto* start = std::get_if<v1::StartRunRequest>(&order->request)) {
      world_->monitor().OnStartSent(*store_, *start);
    }
    const Request request = std::visit([](const auto& typed) { return Request(typed); }, order->request);
    CallAgent(order->address, request, kOrderDeadlineS, [agent_id = order->agent_id](Answer answer) {
      return OrderAnswered{agent_id, std::move(answer.status), std::move(answer.attempt)};
    });
  } else if (const auto* fetch = std::get_if<FetchCall>(&call)) {
    CallAgent(fetch->address, FetchReport{fetch->attempt_id, fetch->sha256}, world_->plan().fetch_deadline_s,
              [fetch = *fetch](Answer answer) {
                if (answer.status.ok() && Sha256Hex(answer.bytes) != fetch.sha256)
                  answer.status = DataLoss("other bytes");
                return Fetched{fetch.agent_id,           fetch.attempt_id,        fetch.sha256,
                               std::move(answer.status), std::move(answer.bytes), ""};
              });
  } else if (const auto* look_up = std::get_if<LookUp>(&call)) {
    Post(generation_, LookedUp{look_up->agent_id, look_up->attempt_id, *store_->FindAttempt(look_up->attempt_id)});
  }
}

void CoordinatorProcess::CallAgent(const std::string& address, Request request, double deadline_s,
                                   std::function<Event(Answer)> to_event, uint64_t number, bool is_sync) {
  auto call = std::make_shared<Call>();
  call->life = life_;
  call->generation = generation_;
  call->number = number;
  call->agent = world_->AgentAt(address);
  call->to_event = std::move(to_event);
  calls_.push_back(call);
  if (is_sync) syncs_[number] = call;
  if (calls_.size() > 64) std::erase_if(calls_, [](const auto& one) { return one->is_done; });
  if (call->agent < 0) {
    world_->schedule().In(
        1'000'000, Schedule::Kind::kNow, CoordinatorParty(index_),
        [this, call] { GiveUp(call, Unavailable("the connection was refused")); }, DescribeCallOf(call));
    return;
  }
  world_->Trace(name_, std::string("calls ") + address + " " + NameOf(request));
  call->request = std::move(request);
  world_->monitor().OnCalled(call->agent, world_->schedule().now_ns());
  world_->network().SendRequest(
      index_, call->agent, call->request,
      [this, call, life = world_->agent(call->agent).life()](bool is_second) {
        // What comes twice comes through one connection, to one process. Once may be late, to
        // whichever is there.
        if (!is_second || life == world_->agent(call->agent).life()) Arrive(call);
      },
      [this, call, describe = DescribeCallOf(call)](Digest* digest) {
        return describe(digest) || world_->agent(call->agent).WouldChange(call->request);
      });
  if (const auto* start = std::get_if<v1::StartRunRequest>(&call->request)) world_->Tamper(index_, call->agent, *start);
  world_->schedule().In(
      SecondsToNanos(deadline_s), Schedule::Kind::kTimer, CoordinatorParty(index_, call->agent),
      [this, call] {
        if (!call->is_done) GiveUp(call, Status(StatusCode::kDeadlineExceeded, "it took too long"));
      },
      DescribeCallOf(call));
}

void CoordinatorProcess::Arrive(const std::shared_ptr<Call>& call) {
  AgentProcess& agent = world_->agent(call->agent);
  if (const int64_t until_ns = agent.machine().asleep_until_ns(); until_ns != 0) {
    world_->schedule().At(until_ns, Schedule::Kind::kNow, AgentParty(call->agent), [this, call] { Arrive(call); });
    return;
  }
  const auto answered = [this, call](Answer answer) {
    const auto shared = std::make_shared<Answer>(std::move(answer));
    world_->network().SendAnswer(
        index_, call->agent, call->request, *shared, [this, call, shared] { AnswerArrived(call, *shared); },
        DescribeAnswer(call, shared));
  };
  if (!agent.is_alive()) return answered(Failed(Unavailable("the connection was refused")));
  const uint64_t number = agent.Take(call->request, answered);
  if (call->is_done && std::holds_alternative<v1::SyncRequest>(call->request)) {
    // Its caller went before it came.
    AbandonIn(kGoneSeenWithinNs, agent.life(), number, call->agent);
  }
  call->agent_life = agent.life();
  call->agent_call = number;
}

void CoordinatorProcess::AnswerArrived(const std::shared_ptr<Call>& call, Answer answer) {
  if (call->is_done || call->life != life_) return;
  call->is_done = true;
  if (is_alive()) Post(call->generation, call->to_event(std::move(answer)));
}

void CoordinatorProcess::GiveUp(const std::shared_ptr<Call>& call, Status status) {
  if (call->is_done) return;
  call->is_done = true;
  if (call->agent >= 0 && call->agent_call != 0) {
    AbandonIn(world_->dice().Between(0, kGoneSeenWithinNs), call->agent_life, call->agent_call, call->agent);
  }
  if (is_alive() && call->life == life_) Post(call->generation, call->to_event(Failed(std::move(status))));
}

void CoordinatorProcess::AbandonIn(int64_t delay_ns, uint64_t agent_life, uint64_t agent_call, int agent) {
  AgentProcess* process = &world_->agent(agent);
  world_->schedule().In(
      delay_ns, Schedule::Kind::kTimer, AgentParty(agent),
      [process, agent_life, agent_call] { process->Abandon(agent_life, agent_call); },
      [process, agent_life, agent_call](Digest* digest) {
        return process->DescribeAbandon(agent_life, agent_call, digest);
      });
}

}  // namespace fleetmark::simulation
