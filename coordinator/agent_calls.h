#pragma once

#include <functional>
#include <memory>
#include <string>

#include "coordinator/effects.h"
#include "coordinator/event.h"

namespace fleetmark {

// How the coordinator reaches its agents. Thread-safe.
class AgentCalls {
 public:
  virtual ~AgentCalls() = default;

  // Begins a call and returns. `done` gets its answer as an event, once, from any thread, in bounded time. EndSync and
  // ResetConnection have no answer; LookUp is not for agents.
  virtual void Perform(const Call& call, std::function<void(Event)> done) = 0;
  // Ends every call under way; their answers may still come.
  virtual void CancelAll() = 0;

  // Ends when it is destroyed; after that nothing more is told.
  class Stream {
   public:
    virtual ~Stream() = default;
  };
  // Progress of one attempt, told from another thread until the attempt ends.
  virtual std::unique_ptr<Stream> WatchRun(const std::string& address, const std::string& attempt_id,
                                           std::function<void(const v1::RunEvent&)> tell) = 0;
  // The log so far, chunk by chunk; blocks. `visit` returns false to stop.
  virtual Status FetchLog(const std::string& address, const std::string& attempt_id,
                          const std::function<bool(const v1::Chunk&)>& visit) = 0;
};

}  // namespace fleetmark
