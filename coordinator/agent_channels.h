#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "common/clock.h"
#include "common/grpc_server.h"
#include "fleetmark/v1/agent.grpc.pb.h"

namespace fleetmark {

// One channel for each address that is in use. Agents move: one that nobody has called for a while is given up, since
// it would go on trying to connect. Thread-safe.
class AgentChannels {
 public:
  explicit AgentChannels(bool insecure, const Clock* clock = &RealClock()) : insecure_(insecure), clock_(clock) {}

  StatusOr<std::shared_ptr<v1::AgentService::Stub>> StubFor(const std::string& address);
  // Connects anew at the next call instead of waiting out the pause that followed failures.
  void Reset(const std::string& address);

  size_t size() const;

 private:
  void GiveUpUnused(int64_t now_ns);

  struct Line {
    std::shared_ptr<grpc::Channel> channel;
    std::shared_ptr<v1::AgentService::Stub> stub;
    int64_t used_ns = 0;
  };
  const bool insecure_;
  const Clock* const clock_;
  mutable std::mutex mutex_;
  std::map<std::string, Line> lines_;
  int64_t looked_ns_ = 0;
};

}  // namespace fleetmark
