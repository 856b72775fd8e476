#pragma once

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "common/clock.h"
#include "coordinator/agent_calls.h"
#include "coordinator/coordinator_core.h"
#include "coordinator/run_watch.h"

namespace fleetmark {

// The shell around CoordinatorCore: one thread takes the events that wait, steps the core with each, commits what came
// of it in one transaction, and only then calls, answers and tells. When the commit fails nothing leaves: whoever asked
// gets the reason, and the core is built anew from the store. All methods are thread-safe, but Start and Stop are
// called once, in this order.
class CoordinatorLoop {
 public:
  struct Options {
    CoreConfig core;
    std::filesystem::path state_dir;
    double min_free_bytes = 0;  // Submit is refused when its file system has less
  };
  // The pointers must outlive this object.
  CoordinatorLoop(Options options, Store* store, AgentCalls* calls, RunWatch* watch, const Clock* clock);
  ~CoordinatorLoop();

  Status Start();
  // Whoever still waits gets UNAVAILABLE.
  void Stop();

  // Tells the core and waits for its reply. `event.reply` is filled in here.
  template <typename Request>
  Reply Ask(Request event) {
    return PostAsked([&](uint64_t reply) {
             event.reply = reply;
             return Event(std::move(event));
           })
        .get();
  }

  // Runs `look` on the loop's thread, with everything that the core has seen committed. False, without running it, once
  // stopped.
  bool View(const std::function<void(const CoordinatorCore&, Moment)>& look);

 private:
  static constexpr uint64_t kAlways = 0;  // a generation that every core takes events of
  struct Posted {
    uint64_t generation;
    Event event;
  };
  using Look = std::function<void(const CoordinatorCore&, Moment)>;

  std::future<Reply> PostAsked(const std::function<Event(uint64_t)>& make);
  void Post(uint64_t generation, Event event);
  void Loop();
  void WaitForEvents(std::vector<Posted>* events);
  void ServeLooks();  // only while everything that the core has seen is committed
  Status Commit(const std::vector<Write>& writes, size_t events);
  void StepAll(const std::vector<Posted>& events, Effects* effects);
  // True when it answered instead of the core.
  bool AnswerSubmit(const SubmitAsked& submit);
  void Act(Effects effects);
  void Answer(Reply reply);
  void AnswerEverybody(const Status& status);  // under mutex_
  Status Rebuild();
  void Recover(const Status& failure);

  const Options options_;
  Store* const store_;
  AgentCalls* const calls_;
  RunWatch* const watch_;
  const Clock* const clock_;

  // Of the loop's thread alone.
  std::unique_ptr<CoordinatorCore> core_;
  uint64_t generation_ = 0;
  int64_t next_seq_ = 1;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool is_stopping_ = false;
  std::deque<Posted> events_;
  std::vector<Look> looks_;
  std::vector<std::promise<void>> look_done_;
  std::map<uint64_t, std::promise<Reply>> waiting_;
  uint64_t next_reply_ = 1;
  std::thread thread_;
};

}  // namespace fleetmark
