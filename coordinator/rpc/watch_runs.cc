#include "coordinator/rpc/handlers.h"
#include <map>

namespace fleetmark {
namespace {

// How soon a caller that is gone is noticed, and how often places in the queue are told anew.
constexpr std::chrono::milliseconds kPatience(200);
constexpr int kRoundsBetweenRefreshes = 5;

// One WatchRuns call.
class Watcher {
 public:
  Watcher(Coordinator& coordinator, const Send<v1::RunUpdate>& send) : coordinator_(coordinator), send_(send) {}

  Status Watch(const std::vector<std::string>& run_ids, const IsCancelled& is_cancelled) {
    subscription_ = coordinator_.watch().Subscribe(run_ids);
    for (const std::string& id : run_ids) FLEETMARK_RETURN_IF_ERROR(TellState(id));
    for (int round = 1; !active_.empty() && !is_cancelled() && !is_gone_; ++round) {
      const RunWatch::News news = subscription_->Wait(kPatience);
      if (news.is_over) return Unavailable("the coordinator is stopping", "the runs go on; watch them again later");
      for (const RunWatch::Progress& progress : news.progress) TellProgress(progress);
      for (const std::string& id : news.changed) FLEETMARK_RETURN_IF_ERROR(TellState(id));
      if (round % kRoundsBetweenRefreshes == 0) Refresh();
    }
    return OkStatus();
  }

 private:
  void Tell(const v1::RunUpdate& update) {
    if (!is_gone_) is_gone_ = !send_(update);
  }

  Status TellState(const std::string& run_id) {
    v1::RunUpdate update;
    FLEETMARK_ASSIGN_OR_RETURN(*update.mutable_run(), coordinator_.FindRun(run_id, ResultDetail::kBrief));
    const v1::RunInfo& run = update.run();
    Tell(update);
    if (run.state() == "queued" || run.state() == "running") {
      active_[run_id] = run;
      if (run.state() == "running") FollowProgress(run_id);
    } else {
      active_.erase(run_id);
      streams_.erase(run_id);
    }
    return OkStatus();
  }

  // The agent is asked for progress only while somebody watches.
  void FollowProgress(const std::string& run_id) {
    CoordinatorCore::Place place;
    coordinator_.loop().View([&](const CoordinatorCore& core, Moment) { place = core.FindLive(run_id); });
    if (place.attempt_id.empty() || streams_[run_id].first == place.attempt_id) return;
    streams_[run_id].second.reset();
    streams_[run_id] = {place.attempt_id,
                        coordinator_.calls().WatchRun(place.address, place.attempt_id,
                                                      [subscription = subscription_, run_id](const v1::RunEvent& event) {
                                                        subscription->TellProgress(run_id, event);
                                                      })};
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
  std::map<std::string, std::pair<std::string, std::unique_ptr<AgentCalls::Stream>>> streams_;
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
