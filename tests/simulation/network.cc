#include "tests/simulation/network.h"

#include <utility>

#include "common/clock.h"

namespace fleetmark::simulation {

const char* NameOf(const Request& request) {
  constexpr const char* kNames[] = {"Describe", "Sync", "StartRun", "CancelRun", "Drain", "FetchResult"};
  return kNames[request.index()];
}

bool Network::IsCut(Direction direction, const Link& link) const {
  return schedule_->now_ns() <
         (direction == Direction::kToAgent ? link.cut_to_agent_until_ns : link.cut_from_agent_until_ns);
}

int64_t Network::Latency() { return dice_->Between(50'000, dice_->Chance(0.08) ? 400'000'000 : 15'000'000); }

void Network::SendRequest(int coordinator, int agent, const Request& request,
                          const std::function<void(bool is_second)>& deliver, const Schedule::Describe& describe) {
  if (interceptor && interceptor({coordinator, agent, request, std::nullopt, deliver})) return;
  Link& link = Between(coordinator, agent);
  if (IsCut(Direction::kToAgent, link)) return;
  const bool is_order = std::holds_alternative<v1::StartRunRequest>(request) ||
                        std::holds_alternative<v1::CancelRunRequest>(request) ||
                        std::holds_alternative<v1::DrainRequest>(request);
  const auto take = [is_order](int& any, int& order) {
    int& waiting = is_order && order > 0 ? order : any;
    return waiting > 0 && waiting-- > 0;
  };
  if (take(link.drop_requests, link.drop_orders)) return;
  if (take(link.duplicate, link.duplicate_orders)) {
    schedule_->In(
        Latency() + dice_->Between(0, 20 * kNanosPerSecond), Schedule::Kind::kMessage, AgentParty(agent),
        [deliver] { deliver(true); }, describe);
  }
  int64_t delay_ns = std::exchange(link.delay_request_ns, 0);
  if (is_order) delay_ns += std::exchange(link.delay_order_ns, 0);
  schedule_->In(
      Latency() + delay_ns, Schedule::Kind::kMessage, AgentParty(agent), [deliver] { deliver(false); }, describe);
}

void Network::SendAnswer(int coordinator, int agent, const Request& request, const Answer& answer,
                         const std::function<void()>& deliver, const Schedule::Describe& describe) {
  if (interceptor && interceptor({coordinator, agent, request, answer, [deliver](bool) { deliver(); }})) return;
  Link& link = Between(coordinator, agent);
  if (IsCut(Direction::kFromAgent, link)) return;
  if (link.drop_answers > 0) {
    --link.drop_answers;
    return;
  }
  schedule_->In(Latency() + std::exchange(link.delay_answer_ns, 0), Schedule::Kind::kMessage,
                CoordinatorParty(coordinator, agent), deliver, describe);
}

void Network::SendPlain(Direction direction, int coordinator, int agent, const std::function<void()>& deliver,
                        const Schedule::Describe& describe) {
  if (IsCut(direction, Between(coordinator, agent))) return;
  schedule_->In(Latency(), Schedule::Kind::kMessage,
                direction == Direction::kToAgent ? AgentParty(agent) : CoordinatorParty(coordinator, agent), deliver,
                describe);
}

}  // namespace fleetmark::simulation
