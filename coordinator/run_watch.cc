#include "coordinator/run_watch.h"

#include <utility>

namespace fleetmark {
namespace {
constexpr size_t kMostProgress = 64;
}  // namespace

RunWatch::News RunWatch::Subscription::Wait(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  arrived_.wait_for(lock, patience, [&] { return !news_.changed.empty() || !news_.progress.empty() || news_.is_over; });
  News news;
  std::swap(news, news_);
  news_.is_over = news.is_over;
  return news;
}

void RunWatch::Subscription::TellProgress(const std::string& run_id, const v1::RunEvent& event) {
  const std::lock_guard lock(mutex_);
  if (news_.progress.size() >= kMostProgress) news_.progress.erase(news_.progress.begin());
  news_.progress.push_back({run_id, event});
  arrived_.notify_one();
}

std::shared_ptr<RunWatch::Subscription> RunWatch::Subscribe(const std::vector<std::string>& run_ids) {
  auto subscription = std::make_shared<Subscription>();
  const std::lock_guard lock(mutex_);
  std::erase_if(watchers_, [](const auto& entry) { return entry.second.expired(); });
  for (const std::string& id : run_ids) watchers_.emplace(id, subscription);
  subscription->news_.is_over = is_stopped_;
  return subscription;
}

void RunWatch::TellChanged(const std::vector<std::string>& run_ids) {
  const std::lock_guard lock(mutex_);
  for (const std::string& id : run_ids) {
    const auto [begin, end] = watchers_.equal_range(id);
    for (auto entry = begin; entry != end; ++entry) {
      if (const auto subscription = entry->second.lock()) {
        const std::lock_guard inner(subscription->mutex_);
        subscription->news_.changed.insert(id);
        subscription->arrived_.notify_one();
      }
    }
  }
}

void RunWatch::Stop() {
  const std::lock_guard lock(mutex_);
  is_stopped_ = true;
  for (const auto& [id, watcher] : watchers_) {
    if (const auto subscription = watcher.lock()) {
      const std::lock_guard inner(subscription->mutex_);
      subscription->news_.is_over = true;
      subscription->arrived_.notify_all();
    }
  }
}

}  // namespace fleetmark
