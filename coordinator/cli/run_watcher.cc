#include "coordinator/cli/run_watcher.h"

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>

#include "coordinator/cli/client.h"
#include "coordinator/cli/signals.h"

namespace fleetmark {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr auto kReconnectLimit = std::chrono::seconds(60);
constexpr auto kReconnectInterval = std::chrono::milliseconds(500);

std::string Joined(const std::vector<std::string>& ids) {
  std::string text;
  for (const std::string& id : ids) text += (text.empty() ? "" : " ") + id;
  return text;
}

// One watch. Interrupt() may be called from any thread, the rest from one.
class Watch {
 public:
  Watch(Session& session, const WatchRequest& request, ProgressDisplay* display)
      : session_(session), request_(request), display_(*display), is_connected_(request.is_connected) {
    if (request.timeout_s > 0) {
      deadline_ = SteadyClock::now() +
                  std::chrono::duration_cast<SteadyClock::duration>(std::chrono::duration<double>(request.timeout_s));
    }
  }

  StatusOr<std::vector<v1::RunInfo>> Run() {
    while (true) {
      const Status status = StreamOnce();
      if (is_interrupted()) return GoesOn(StatusCode::kCancelled, "interrupted", kInterruptedKind);
      // gRPC's deadline goes by the wall clock and may come before ours.
      const bool has_deadline = deadline_ != SteadyClock::time_point::max();
      if (IsOutOfTime() || (has_deadline && status.code() == StatusCode::kDeadlineExceeded))
        return GoesOn(StatusCode::kDeadlineExceeded, "the wait timed out", kWaitTimeoutKind);
      if (status.ok() && AllEnded()) return Runs();
      if (!is_connected_ || !IsLost(status)) return status;
      if (!WaitForRetry()) return status.ok() ? Unavailable("the coordinator ended the watch") : status;
    }
  }

  void Interrupt() {
    const std::lock_guard lock(mutex_);
    is_interrupted_ = true;
    if (context_ != nullptr) context_->TryCancel();
    wake_.notify_all();
  }

 private:
  Status StreamOnce() {
    grpc::ClientContext context;
    if (deadline_ != SteadyClock::time_point::max()) {
      context.set_deadline(std::chrono::system_clock::now() + (deadline_ - SteadyClock::now()));
    }
    v1::WatchRunsRequest message;
    for (const std::string& id : request_.ids) message.add_ids(id);
    if (!Expose(&context)) return OkStatus();
    const Status status = session_.client.Stream<v1::WatchRunsRequest, v1::RunUpdate>(
        &Client::Stub::WatchRuns, message, &context, [this](const v1::RunUpdate& update) { return Take(update); });
    Expose(nullptr);
    return status;
  }

  // Makes `context` the one that Interrupt() cancels; false when it has come already.
  bool Expose(grpc::ClientContext* context) {
    const std::lock_guard lock(mutex_);
    context_ = context;
    return !is_interrupted_;
  }

  Status Take(const v1::RunUpdate& update) {
    if (is_lost_) display_.Note("connected again to the coordinator at " + session_.client.address());
    is_connected_ = true;
    is_lost_ = false;
    const auto [at, is_new] = runs_.try_emplace(update.run().run_id());
    if (is_new) order_.push_back(update.run().run_id());
    at->second = update.run();
    display_.Update(update);
    return OkStatus();
  }

  // A server that stops ends its streams in any of these ways; gRPC 1.51 reports a killed one as UNKNOWN.
  static bool IsLost(const Status& status) {
    return status.ok() || status.code() == StatusCode::kUnavailable || status.code() == StatusCode::kCancelled ||
           status.code() == StatusCode::kUnknown;
  }

  // False when it was tried for long enough.
  bool WaitForRetry() {
    const SteadyClock::time_point now = SteadyClock::now();
    if (!is_lost_) {
      is_lost_ = true;
      lost_at_ = now;
      display_.Note("lost the coordinator at " + session_.client.address() +
                    "; the runs go on; trying to reach it again for " + std::to_string(kReconnectLimit.count()) + " s");
    }
    if (now - lost_at_ >= kReconnectLimit) return false;
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, kReconnectInterval, [this] { return is_interrupted_; });
    return true;
  }

  bool is_interrupted() {
    const std::lock_guard lock(mutex_);
    return is_interrupted_;
  }
  bool IsOutOfTime() const { return SteadyClock::now() >= deadline_ && !AllEnded(); }
  bool AllEnded() const {
    for (const auto& [id, run] : runs_) {
      if (!HasEnded(run)) return false;
    }
    return !runs_.empty();
  }
  std::vector<v1::RunInfo> Runs() const {
    std::vector<v1::RunInfo> runs;
    for (const std::string& id : order_) runs.push_back(runs_.at(id));
    return runs;
  }
  Status GoesOn(StatusCode code, const std::string& what, const std::string& kind) const {
    const std::string ids = Joined(request_.ids);
    return Status(code, what + "; " + ids + " goes on without this program",
                  "follow with `fleetmark watch " + ids + "`, stop with `fleetmark cancel " + ids + "`", kind);
  }

  Session& session_;
  const WatchRequest& request_;
  ProgressDisplay& display_;
  SteadyClock::time_point deadline_ = SteadyClock::time_point::max();
  std::map<std::string, v1::RunInfo> runs_;
  std::vector<std::string> order_;
  bool is_connected_;
  bool is_lost_ = false;
  SteadyClock::time_point lost_at_;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool is_interrupted_ = false;
  grpc::ClientContext* context_ = nullptr;
};

}  // namespace

StatusOr<std::vector<v1::RunInfo>> WatchRuns(Session& session, const WatchRequest& request, ProgressMode mode) {
  ProgressDisplay display(session.console, mode);
  Watch watch(session, request, &display);
  if (session.signals != nullptr) {
    session.signals->SetHandlers([&watch] { watch.Interrupt(); }, [&display] { display.Redraw(); });
  }
  if (request.interrupted != nullptr && *request.interrupted) watch.Interrupt();
  StatusOr<std::vector<v1::RunInfo>> runs = watch.Run();
  if (session.signals != nullptr) session.signals->ClearHandlers();
  display.Finish();
  return runs;
}

}  // namespace fleetmark
