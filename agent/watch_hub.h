#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "fleetmark/v1/agent.pb.h"

namespace fleetmark::agent {

// The recent events of each attempt, for those who watch. Best effort: a watcher that is slow misses the oldest, and
// only the last few ended attempts are kept. Thread-safe.
class WatchHub {
 public:
  // Numbers the event, from 1 in each attempt. A status "result_ready" is the last event of its attempt.
  void Publish(const std::string& attempt_id, v1::RunEvent event);

  struct News {
    std::vector<v1::RunEvent> events;
    bool has_ended = false;  // nothing more will come
    bool is_known = true;
  };
  // Events from `from_seq` on; waits up to `timeout` for the first of them.
  News Wait(const std::string& attempt_id, int from_seq, std::chrono::milliseconds timeout);

  // Lets every waiter go, now and from now on.
  void Close();

 private:
  struct Channel {
    std::deque<v1::RunEvent> events;
    int next_seq = 1;
    bool has_ended = false;
  };
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Channel> channels_;
  std::deque<std::string> ended_;  // oldest first
  bool is_closed_ = false;
};

}  // namespace fleetmark::agent
