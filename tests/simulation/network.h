#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <variant>

#include "common/status.h"
#include "fleetmark/v1/agent.pb.h"
#include "tests/simulation/schedule.h"

namespace fleetmark::simulation {

struct FetchReport {
  std::string attempt_id;
  std::string sha256;
};
// What a coordinator asks of an agent, and what comes back: the status, and the one that belongs to the call.
using Request = std::variant<v1::DescribeRequest, v1::SyncRequest, v1::StartRunRequest, v1::CancelRunRequest,
                             v1::DrainRequest, FetchReport>;
struct Answer {
  Status status;
  v1::AgentDescription description;
  v1::SyncResponse sync;
  v1::AttemptStatus attempt;
  std::string bytes;
};
const char* NameOf(const Request& request);

// Between one coordinator and one agent.
struct Link {
  int64_t cut_to_agent_until_ns = 0;
  int64_t cut_from_agent_until_ns = 0;
  // Faults that wait for the next message they fit. An order is a StartRun, CancelRun or Drain.
  int drop_requests = 0, drop_orders = 0, drop_answers = 0, duplicate = 0, duplicate_orders = 0;
  int other_spec = 0, bad_spec = 0;
  int64_t delay_request_ns = 0, delay_order_ns = 0, delay_answer_ns = 0;
};

// On its way between a coordinator and an agent.
struct Message {
  int coordinator = 0, agent = 0;
  Request request;  // of an answer: the one that it answers
  std::optional<Answer> answer;
  std::function<void(bool is_second)> deliver;
};

// Carries messages: late, out of order, twice, or not at all.
class Network {
 public:
  enum class Direction { kToAgent, kFromAgent };
  Network(Schedule* schedule, Dice* dice) : schedule_(schedule), dice_(dice) {}

  Link& Between(int coordinator, int agent) { return links_[{coordinator, agent}]; }
  void Heal() { links_.clear(); }

  // Of a coordinator's calls. `deliver` is called later, or never, or twice: then the second time with true.
  void SendRequest(int coordinator, int agent, const Request& request,
                   const std::function<void(bool is_second)>& deliver, const Schedule::Describe& describe);
  void SendAnswer(int coordinator, int agent, const Request& request, const Answer& answer,
                  const std::function<void()>& deliver, const Schedule::Describe& describe);
  // Of an agent's registration: cut links stop it, other faults are not for it.
  void SendPlain(Direction direction, int coordinator, int agent, const std::function<void()>& deliver,
                 const Schedule::Describe& describe = {});

  // For tests that stage what happens: sees each message of a call before any fault does, and keeps it by answering
  // true; then it arrives whenever `deliver` is called, however often.
  std::function<bool(Message)> interceptor;

 private:
  bool IsCut(Direction direction, const Link& link) const;
  int64_t Latency();

  Schedule* const schedule_;
  Dice* const dice_;
  std::map<std::pair<int, int>, Link> links_;
};

}  // namespace fleetmark::simulation
