#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "common/clock.h"
#include "fleetmark/v1/coordinator.grpc.pb.h"

namespace fleetmark::agent {

// Announces this agent at its coordinator: at once, with growing pauses until it succeeds, and again whenever no Sync
// has come for a while, since then the coordinator may have lost or forgotten it. Runs on a thread of its own until
// destroyed.
class Registration {
 public:
  struct Options {
    std::string coordinator;  // for messages
    std::shared_ptr<v1::CoordinatorService::StubInterface> stub;
    // Made anew for each call.
    std::function<v1::RegisterRequest()> make_request;
    // CLOCK_BOOTTIME in nanoseconds of the last accepted Sync; 0 before the first.
    std::function<int64_t()> last_sync_ns;
    const Clock* clock = &RealClock();
  };
  explicit Registration(Options options);
  ~Registration();

 private:
  void Run();
  bool RegisterOnce();
  // False when it is time to stop.
  bool Pause(double seconds);

  const Options options_;
  std::string last_failure_;
  std::mutex mutex_;
  std::condition_variable stopping_changed_;
  bool is_stopping_ = false;
  std::unique_ptr<grpc::ClientContext> context_;  // of the call in progress; guarded by mutex_
  std::thread thread_;
};

}  // namespace fleetmark::agent
