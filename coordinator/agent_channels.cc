#include "coordinator/agent_channels.h"

namespace fleetmark {
namespace {

// An agent that is away is called more often than this, see agent_link.cc.
constexpr int64_t kUnusedNs = 120 * kNanosPerSecond;
constexpr int64_t kLookNs = 15 * kNanosPerSecond;

}  // namespace

StatusOr<std::shared_ptr<v1::AgentService::Stub>> AgentChannels::StubFor(const std::string& address) {
  const int64_t now_ns = clock_->Now().boottime_ns;
  const std::lock_guard lock(mutex_);
  if (now_ns - looked_ns_ >= kLookNs) GiveUpUnused(now_ns);
  Line& line = lines_[address];
  line.used_ns = now_ns;
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

// Whoever still holds a stub of one goes on with it.
void AgentChannels::GiveUpUnused(int64_t now_ns) {
  looked_ns_ = now_ns;
  std::erase_if(lines_, [now_ns](const auto& entry) { return now_ns - entry.second.used_ns >= kUnusedNs; });
}

size_t AgentChannels::size() const {
  const std::lock_guard lock(mutex_);
  return lines_.size();
}

void AgentChannels::Reset(const std::string& address) {
  const std::lock_guard lock(mutex_);
  const auto line = lines_.find(address);
  if (line != lines_.end()) grpc::experimental::ChannelResetConnectionBackoff(line->second.channel.get());
}

}  // namespace fleetmark
