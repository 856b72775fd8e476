#include "agent/watch_hub.h"

#include <utility>

namespace fleetmark::agent {
namespace {

constexpr size_t kKeptEvents = 256;
constexpr size_t kKeptEndedAttempts = 32;

}  // namespace

void WatchHub::Publish(const std::string& attempt_id, v1::RunEvent event) {
  const std::lock_guard lock(mutex_);
  Channel& channel = channels_[attempt_id];
  event.set_seq(channel.next_seq++);
  const bool is_last = event.status().state() == "result_ready";
  channel.events.push_back(std::move(event));
  if (channel.events.size() > kKeptEvents) channel.events.pop_front();
  if (is_last && !std::exchange(channel.has_ended, true)) ended_.push_back(attempt_id);
  if (ended_.size() > kKeptEndedAttempts) {
    channels_.erase(ended_.front());
    ended_.pop_front();
  }
  changed_.notify_all();
}

WatchHub::News WatchHub::Wait(const std::string& attempt_id, int from_seq, std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  const auto has_news = [&] {
    const auto found = channels_.find(attempt_id);
    return is_closed_ || found == channels_.end() || found->second.has_ended || found->second.next_seq > from_seq;
  };
  changed_.wait_for(lock, timeout, has_news);
  News news;
  const auto found = channels_.find(attempt_id);
  if (found == channels_.end()) {
    news.is_known = false;
    return news;
  }
  for (const v1::RunEvent& event : found->second.events) {
    if (event.seq() >= from_seq) news.events.push_back(event);
  }
  news.has_ended = is_closed_ || found->second.has_ended;
  return news;
}

void WatchHub::Close() {
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
  changed_.notify_all();
}

}  // namespace fleetmark::agent
