#include "coordinator/agent_channels.h"

namespace fleetmark {

StatusOr<std::shared_ptr<v1::AgentService::Stub>> AgentChannels::StubFor(const std::string& address) {
  const std::lock_guard lock(mutex_);
  Line& line = lines_[address];
  if (line.channel == nullptr) {
    StatusOr<std::shared_ptr<grpc::Channel>> channel = Dial(address, insecure_, "the agent's address");
    if (!channel.ok()) {
      lines_.erase(address);
      return channel.status();
    }
    line.channel = std::move(channel).value();
    line.stub = v1::AgentService::NewStub(line.channel);
  }
  return line.stub;
}

void AgentChannels::Reset(const std::string& address) {
  const std::lock_guard lock(mutex_);
  const auto line = lines_.find(address);
  if (line != lines_.end()) grpc::experimental::ChannelResetConnectionBackoff(line->second.channel.get());
}

}  // namespace fleetmark
