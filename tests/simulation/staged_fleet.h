#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/simulation/world.h"

namespace fleetmark::simulation {

using MessageTest = std::function<bool(const Message&)>;

constexpr int kAnyAgent = -1;

// Requests of a kind, and answers to them.
template <typename T>
MessageTest RequestOf(int agent, int coordinator = 0) {
  return [=](const Message& message) {
    return !message.answer && message.coordinator == coordinator && (agent == kAnyAgent || message.agent == agent) &&
           std::holds_alternative<T>(message.request);
  };
}
template <typename T>
MessageTest AnswerTo(int agent, int coordinator = 0) {
  return [=](const Message& message) {
    return message.answer && message.coordinator == coordinator && (agent == kAnyAgent || message.agent == agent) &&
           std::holds_alternative<T>(message.request);
  };
}
// Syncs that grant a lease.
MessageTest LeaseTo(int agent);
MessageTest AnswerToLease(int agent);

// A message that has not arrived: none until it is sent.
using Held = std::shared_ptr<std::optional<Message>>;
template <typename T>
const T& As(const Held& held) {
  return std::get<T>(held->value().request);
}

struct Job {
  int target = -1;  // an agent: its runs are FINISH; or -1 for any: KILL
  int steps = 10;   // how long it takes, in tenths of a second
  int retries = 0;
};

// A fleet in which the test says what happens when. At its end every fault ends, and then every job must; a violation
// at any time fails the test.
class StagedFleet : public testing::Test {
 protected:
  // The first `machines` agents have one each, the others share those. All are reached and hold leases.
  void Begin(int agents, int machines);
  void TearDown() override;

  // Lets things happen until `is_so`; fails the test when that takes longer.
  bool Until(const std::function<bool()>& is_so, double within_s = 60);
  bool Pass(double seconds);

  // Keeps the next of these that is sent, or loses all of them from now on.
  Held Hold(MessageTest is_it);
  void Lose(MessageTest is_it) { is_lost_ = std::move(is_it); }
  void LoseNothing() { is_lost_ = nullptr; }
  bool UntilSent(const Held& held, double within_s = 60);
  // It arrives, and is answered. What comes twice comes to the same process; once may be late.
  Answer Deliver(const Held& held, bool is_second = false);
  // Both ways, until it is connected again.
  void Cut(int agent);
  void Connect(int agent) { world_->network().Between(0, agent) = {}; }

  std::string Submit(const Job& job);  // one run
  void Cancel(const std::string& run_id);
  void RestartCoordinator();

  bool UntilEnded(const std::string& run_id, double within_s = 60);
  // A worker of this agent measures.
  bool UntilRunning(int agent, double within_s = 60);
  bool UntilLeasedAnew(int agent);

  std::string StateOf(const std::string& run_id) { return std::string(RunStateName(Run(run_id).state)); }
  std::vector<const AttemptRecord*> AttemptsOf(const std::string& run_id) { return store().AttemptsOf(run_id); }
  // How many were sent so far.
  int Count(const MessageTest& is_it) const;
  int spawns() { return world_->monitor().spawns(); }

  MemoryStore& store() { return world_->coordinator().store(); }
  AgentProcess& agent(int index) { return world_->agent(index); }
  Machine& machine_of(int index) { return agent(index).machine(); }
  int64_t clock_of(int index) { return machine_of(index).Now().boottime_ns; }

  std::unique_ptr<World> world_;

 private:
  const RunRecord& Run(const std::string& run_id) { return store().runs().at(run_id); }
  bool Intercept(Message message);
  // False when there was a violation, which fails the test.
  bool Guard(const std::function<bool()>& act);

  struct Hook {
    MessageTest is_it;
    Held held;
  };
  std::vector<Hook> hooks_;
  MessageTest is_lost_;
  std::vector<Message> sent_;
};

}  // namespace fleetmark::simulation
