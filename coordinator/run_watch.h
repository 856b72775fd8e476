#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "fleetmark/v1/agent.pb.h"

namespace fleetmark {

// Brings changes of runs to those who watch them. Thread-safe.
class RunWatch {
 public:
  struct Progress {
    std::string run_id;
    v1::RunEvent event;
  };
  struct News {
    std::set<std::string> changed;
    std::vector<Progress> progress;
    bool is_over = false;  // the coordinator stops
  };

  // One watcher's mailbox. Progress that is not read is dropped, oldest first; changes never are.
  class Subscription {
   public:
    // What came since the last call; waits up to `patience` for the first of it.
    News Wait(std::chrono::milliseconds patience);
    void TellProgress(const std::string& run_id, const v1::RunEvent& event);

   private:
    friend class RunWatch;
    std::mutex mutex_;
    std::condition_variable arrived_;
    News news_;
  };

  // For these runs, until the pointer is dropped.
  std::shared_ptr<Subscription> Subscribe(const std::vector<std::string>& run_ids);
  void TellChanged(const std::vector<std::string>& run_ids);
  // Every watcher is told that it is over, now and later.
  void Stop();

 private:
  std::mutex mutex_;
  std::multimap<std::string, std::weak_ptr<Subscription>> watchers_;  // by run id
  bool is_stopped_ = false;
};

}  // namespace fleetmark
