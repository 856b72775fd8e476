#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "fleetmark/v1/agent.pb.h"

namespace fleetmark {

// Many agents without machines, journals or workers: each takes every run and ends it at once, or when it is let go.
// They speak the agent's side of the protocol and count what a coordinator must never do. Thread-safe.
class InstantAgents {
 public:
  explicit InstantAgents(int count);
  // Every poll that waits is answered.
  ~InstantAgents();

  int count() const { return static_cast<int>(agents_.size()); }
  v1::AgentDescription Describe(int index) const;

  // Answers at once when there is news, else after the request's wait; or when the agent is polled again.
  using AnswerSync = std::function<void(v1::SyncResponse)>;
  void Sync(int index, const v1::SyncRequest& request, AnswerSync answer);
  v1::AttemptStatus StartRun(int index, const v1::StartRunRequest& request);
  v1::AttemptStatus CancelRun(int index, const v1::CancelRunRequest& request);
  // The bytes of a report that is not acknowledged yet; "" for none.
  std::string ReportOf(int index, const std::string& attempt_id);

  // While they hold, runs that were started go on.
  void Hold();
  void Release();
  // Counts and times begin anew.
  void Reset();
  // One JSON object in one line.
  std::string StatisticsJson();

 private:
  struct Agent {
    std::string agent_id, name;
    int revision = 1;
    std::set<std::string> running;               // attempt ids
    std::map<std::string, std::string> reports;  // by attempt id, until acknowledged
    std::map<std::string, std::string> hashes;   // of these
    AnswerSync parked;
    double parked_until_s = 0;
    double answered_s = 0;  // its last Sync
  };
  struct Statistics {
    int started = 0, repeated_starts = 0, cancelled = 0, reported = 0, acknowledged = 0, wrong_acks = 0;
    int64_t syncs = 0;
    double first_start_unix_s = 0, last_start_unix_s = 0, last_report_unix_s = 0, last_ack_unix_s = 0;
    double longest_unseen_s = 0;
  };

  void TakeAcks(Agent& agent, const v1::SyncRequest& request);
  void Report(Agent& agent, const std::string& attempt_id);
  // Takes the parked poll out, with its answer; to be called without the lock.
  std::function<void()> Answer(Agent& agent);
  void AnswerInTime();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Agent> agents_;
  std::set<std::pair<double, int>> timers_;  // when a parked poll ends, whose
  std::set<std::string> ever_started_;
  v1::AgentDescription description_;  // what every agent looks like
  v1::AttemptReport report_;          // and every report
  Statistics statistics_;
  bool is_holding_ = false;
  bool is_stopping_ = false;
  std::thread thread_;
};

// Obeys lines from stdin, hold, release, reset and stats, each answered with the statistics, until stdin ends.
void ObeyStdin(InstantAgents& agents);

// As `top` shows the calling thread and those that it starts.
void NameThread(const char* name);

}  // namespace fleetmark
