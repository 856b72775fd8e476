#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "common/grpc_server.h"
#include "fleetmark/v1/agent.grpc.pb.h"

namespace fleetmark {

// One channel for each address, kept. Thread-safe.
class AgentChannels {
 public:
  explicit AgentChannels(bool insecure) : insecure_(insecure) {}

  StatusOr<std::shared_ptr<v1::AgentService::Stub>> StubFor(const std::string& address);
  // Connects anew at the next call instead of waiting out the pause that followed failures.
  void Reset(const std::string& address);

 private:
  struct Line {
    std::shared_ptr<grpc::Channel> channel;
    std::shared_ptr<v1::AgentService::Stub> stub;
  };
  const bool insecure_;
  std::mutex mutex_;
  std::map<std::string, Line> lines_;
};

}  // namespace fleetmark
