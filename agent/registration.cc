#include "agent/registration.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "common/grpc_status.h"

namespace fleetmark::agent {
namespace {

constexpr double kFirstPauseS = 0.5;
constexpr double kLongestPauseS = 15;
constexpr double kCheckS = 10;
// A coordinator that counts on this agent holds a Sync of well under half of this open all the time.
constexpr double kSilenceS = 60;
constexpr auto kRegisterTimeout = std::chrono::seconds(10);

}  // namespace

Registration::Registration(Options options) : options_(std::move(options)) {
  thread_ = std::thread([this] { Run(); });
}

Registration::~Registration() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    if (context_ != nullptr) context_->TryCancel();
  }
  stopping_changed_.notify_all();
  thread_.join();
}

void Registration::Run() {
  double pause_s = kFirstPauseS;
  while (true) {
    if (!RegisterOnce()) {
      if (!Pause(pause_s)) return;
      pause_s = std::min(pause_s * 2, kLongestPauseS);
      continue;
    }
    pause_s = kFirstPauseS;
    const int64_t registered_ns = options_.clock->Now().boottime_ns;
    do {
      if (!Pause(kCheckS)) return;
    } while (options_.clock->Now().boottime_ns - std::max(options_.last_sync_ns(), registered_ns) <
             SecondsToNanos(kSilenceS));
    spdlog::warn("the coordinator at {} has not been heard for {} s; registering again", options_.coordinator,
                 kSilenceS);
  }
}

bool Registration::RegisterOnce() {
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_) return false;
    context_ = std::make_unique<grpc::ClientContext>();
  }
  // A description is 50 kB, most of it words: over a slow link each round trip counts.
  context_->set_compression_algorithm(GRPC_COMPRESS_GZIP);
  context_->set_deadline(std::chrono::system_clock::now() + kRegisterTimeout);
  v1::RegisterResponse response;
  const Status status = FromGrpcStatus(options_.stub->Register(context_.get(), options_.make_request(), &response));
  const std::lock_guard lock(mutex_);
  context_.reset();
  if (is_stopping_) return false;
  if (status.ok()) {
    spdlog::info("registered at {} as {} (cluster {})", options_.coordinator, response.agent_name(),
                 response.cluster_id());
    last_failure_.clear();
    return true;
  }
  // The same failure is said once, not with every try.
  if (status.message() != last_failure_) {
    spdlog::warn("cannot register at the coordinator {}: {}; trying on", options_.coordinator, status.ToString());
    last_failure_ = status.message();
  }
  return false;
}

bool Registration::Pause(double seconds) {
  std::unique_lock lock(mutex_);
  return !stopping_changed_.wait_for(lock, std::chrono::duration<double>(seconds), [this] { return is_stopping_; });
}

}  // namespace fleetmark::agent
