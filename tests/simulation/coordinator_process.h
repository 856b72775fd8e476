#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/coordinator_core.h"
#include "tests/simulation/machine.h"
#include "tests/simulation/memory_store.h"
#include "tests/simulation/network.h"

namespace fleetmark::simulation {

class World;

// CoordinatorCore with everything around it: what CoordinatorLoop and Dispatcher do in the real program, step for step,
// over a store that outlives the process.
class CoordinatorProcess {
 public:
  CoordinatorProcess(World* world, int index, Machine* machine, MemoryStore store);

  void Start();
  void Crash();
  // At the `point`-th commit, call or reply from now.
  void CrashAt(int point, double restart_after_s);
  void StartIn(double seconds);
  // Its machine has just woken, earlier than it was to.
  void WakeUp() {
    if (is_alive() && is_turn_due_) Turn();
  }

  bool is_alive() const { return core_ != nullptr; }
  // Whether it is still to be killed.
  bool is_doomed() const { return crash_in_ >= 0; }
  // What the next steps depend on; or those with this agent.
  void Describe(std::optional<int> only, Digest* digest) const;
  // Lets it look at the clock.
  void Poke() {
    if (is_alive()) TurnSoon();
  }
  bool IsDue() const { return is_alive() && core_->NextWakeup(machine_->Now()) <= machine_->Now().boottime_ns; }
  MemoryStore& store() { return *store_; }
  Machine& machine() { return *machine_; }
  // As a person does who restores a backup; the process is not running.
  void ReplaceStore(const MemoryStore& store);
  int epoch() const { return epoch_; }

  // A request of a person or of an agent that registers. `told` gets the reply, or never anything when this process
  // dies first.
  template <typename Asked>
  void Ask(Asked event, std::function<void(const fleetmark::Reply&)> told) {
    event.reply = next_reply_++;
    waiting_[event.reply] = std::move(told);
    Post(0, std::move(event));
  }
  // Why a run has not ended yet, for people.
  std::string ReasonOf(const std::string& run_id) const;

 private:
  struct Posted {
    uint64_t generation;  // 0: whichever core takes it
    Event event;
  };
  // A call that is under way.
  struct Call {
    uint64_t life, generation;
    uint64_t number;  // the core's, of a Describe or Sync
    Request request;
    int agent = -1;
    uint64_t agent_life = 0;
    uint64_t agent_call = 0;  // the agent's own number of it, once it has arrived
    bool is_done = false;
    std::function<Event(Answer)> to_event;
  };

  void Post(uint64_t generation, Event event);
  void TurnSoon();
  void Turn();
  void StepAll(std::vector<Posted> events, Effects* effects);
  bool AnswerSubmit(const SubmitAsked& submit);
  void Act(Effects effects);
  void Perform(const fleetmark::Call& call);
  void CallAgent(const std::string& address, Request request, double deadline_s, std::function<Event(Answer)> to_event,
                 uint64_t number = 0, bool is_sync = false);
  void AbandonIn(int64_t delay_ns, uint64_t agent_life, uint64_t agent_call, int agent);
  bool IsAwaited(const Call& call) const { return !call.is_done && call.life == life_; }
  // Which call it is; false once nobody waits for its answer.
  Schedule::Describe DescribeCallOf(const std::shared_ptr<Call>& call);
  Schedule::Describe DescribeAnswer(const std::shared_ptr<Call>& call, const std::shared_ptr<Answer>& answer);
  void Arrive(const std::shared_ptr<Call>& call);
  void AnswerArrived(const std::shared_ptr<Call>& call, Answer answer);
  void GiveUp(const std::shared_ptr<Call>& call, Status status);
  void Recover(const Status& failure);
  bool Rebuild();
  void WakeLater();
  bool ReachesPoint();

  World* const world_;
  const int index_;
  const std::string name_;
  Machine* const machine_;
  std::unique_ptr<MemoryStore> store_;

  uint64_t life_ = 0;
  int epoch_ = 0;
  CoreConfig config_;
  std::unique_ptr<CoordinatorCore> core_;
  uint64_t generation_ = 0;
  int64_t next_seq_ = 1;
  bool is_recovering_ = false;
  std::vector<Posted> inbox_;
  bool is_turn_due_ = false;
  int64_t wake_at_ns_ = 0;
  uint64_t next_reply_ = 1;
  std::map<uint64_t, std::function<void(const fleetmark::Reply&)>> waiting_;
  std::vector<std::shared_ptr<Call>> calls_;
  std::map<uint64_t, std::shared_ptr<Call>> syncs_;
  int crash_in_ = -1;
  double restart_after_s_ = 0;
};

}  // namespace fleetmark::simulation
