#include <chrono>
#include <map>

#include "coordinator/rpc/handlers.h"

namespace fleetmark {
namespace {

// How soon a caller that is gone is noticed, and how often places in the queue are told anew.
constexpr std::chrono::milliseconds kPatience(200);
constexpr std::chrono::seconds kRefreshPeriod(1);
// A run that is over sooner is not worth a stream of progress.
constexpr std::chrono::milliseconds kFollowAfter(200);

using SteadyTime = std::chrono::steady_clock::time_point;

// One WatchRuns call.
class Watcher {
 public:
  Watcher(Coordinator& coordinator, const Send<v1::RunUpdate>& send) : coordinator_(coordinator), send_(send) {}

  Status Watch(const std::vector<std::string>& run_ids, const IsCancelled& is_cancelled) {
    subscription_ = coordinator_.watch().Subscribe(run_ids);
    FLEETMARK_RETURN_IF_ERROR(TellStates(run_ids));
    SteadyTime refreshed = std::chrono::steady_clock::now();
    while (!active_.empty() && !is_cancelled() && !is_gone_) {
      const RunWatch::News news = subscription_->Wait(kPatience);
      if (news.is_over) return Unavailable("the coordinator is stopping", "the runs go on; watch them again later");
      for (const RunWatch::Progress& progress : news.progress) TellProgress(progress);
      FLEETMARK_RETURN_IF_ERROR(TellStates({news.changed.begin(), news.changed.end()}));
      FollowProgress();
      if (std::chrono::steady_clock::now() - refreshed >= kRefreshPeriod) {
        Refresh();
        refreshed = std::chrono::steady_clock::now();
      }
    }
    return OkStatus();
  }

 private:
  void Tell(const v1::RunUpdate& update) {
    if (!is_gone_) is_gone_ = !send_(update);
  }

  Status TellStates(const std::vector<std::string>& run_ids) {
    std::vector<v1::RunInfo> runs(run_ids.size());
    for (size_t i = 0; i < run_ids.size(); ++i) {
      FLEETMARK_ASSIGN_OR_RETURN(runs[i], coordinator_.reader().GetRun(run_ids[i], ResultDetail::kBrief));
    }
    FLEETMARK_RETURN_IF_ERROR(coordinator_.Complete(&runs, ResultDetail::kBrief));
    for (const v1::RunInfo& run : runs) {
      v1::RunUpdate update;
      *update.mutable_run() = run;
      Tell(update);
      if (run.state() == "running") to_follow_.try_emplace(run.run_id(), std::chrono::steady_clock::now());
      if (run.state() != "running") {
        to_follow_.erase(run.run_id());
        streams_.erase(run.run_id());
      }
      if (run.state() == "queued" || run.state() == "running") {
        active_[run.run_id()] = run;
      } else {
        active_.erase(run.run_id());
      }
    }
    return OkStatus();
  }

  // The agent is asked for progress only while somebody watches.
  void FollowProgress() {
    const SteadyTime now = std::chrono::steady_clock::now();
    for (const auto& [run_id, since] : to_follow_) {
      if (now - since < kFollowAfter || streams_.contains(run_id)) continue;
      CoordinatorCore::Place place;
      coordinator_.loop().View([&, id = run_id](const CoordinatorCore& core, Moment) { place = core.FindLive(id); });
      if (place.attempt_id.empty()) continue;
      streams_[run_id] = coordinator_.calls().WatchRun(
          place.address, place.attempt_id, [subscription = subscription_, id = run_id](const v1::RunEvent& event) {
            subscription->TellProgress(id, event);
          });
    }
  }

  void TellProgress(const RunWatch::Progress& progress) {
    const auto found = active_.find(progress.run_id);
    if (found == active_.end()) return;
    v1::RunUpdate update;
    *update.mutable_run() = found->second;
    if (progress.event.has_progress()) {
      *update.mutable_progress() = progress.event.progress();
    } else if (progress.event.has_phase()) {
      update.mutable_progress()->set_phase(progress.event.phase().name());
    } else if (progress.event.has_training_epoch()) {
      *update.mutable_training_epoch() = progress.event.training_epoch();
    } else {
      return;
    }
    Tell(update);
  }

  // Others leave the queue without these runs changing.
  void Refresh() {
    std::vector<v1::RunUpdate> updates;
    coordinator_.loop().View([&](const CoordinatorCore& core, Moment now) {
      for (auto& [id, known] : active_) {
        v1::RunInfo run = known;
        if (!core.Describe(&run, now)) continue;
        if (run.reason() == known.reason() && run.queue_position() == known.queue_position()) continue;
        known = run;
        *updates.emplace_back().mutable_run() = run;
      }
    });
    for (const v1::RunUpdate& update : updates) Tell(update);
  }

  Coordinator& coordinator_;
  const Send<v1::RunUpdate>& send_;
  std::shared_ptr<RunWatch::Subscription> subscription_;
  std::map<std::string, v1::RunInfo> active_;
  std::map<std::string, SteadyTime> to_follow_;  // runs, since when they run
  std::map<std::string, std::unique_ptr<AgentCalls::Stream>> streams_;
  bool is_gone_ = false;
};

}  // namespace

Status WatchRuns(Coordinator& coordinator, const v1::WatchRunsRequest& request, const IsCancelled& is_cancelled,
                 const Send<v1::RunUpdate>& send) {
  std::vector<std::string> run_ids;
  for (const std::string& id : request.ids()) {
    FLEETMARK_ASSIGN_OR_RETURN(const std::vector<std::string> resolved, coordinator.reader().ResolveRuns(id));
    run_ids.insert(run_ids.end(), resolved.begin(), resolved.end());
  }
  if (run_ids.empty()) return InvalidArgument("nothing to watch was named", "give the id of a job or a run");
  return Watcher(coordinator, send).Watch(run_ids, is_cancelled);
}

}  // namespace fleetmark
