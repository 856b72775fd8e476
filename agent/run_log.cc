#include "agent/run_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

namespace fleetmark::agent {

RunLog::RunLog(const std::filesystem::path& path)
    : descriptor_(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {}

RunLog::~RunLog() {
  if (descriptor_ >= 0) close(descriptor_);
}

void RunLog::Append(std::string_view bytes) {
  if (total_bytes_ < kHeadLimit) Write(bytes.substr(0, kHeadLimit - total_bytes_));
  total_bytes_ += bytes.size();
  tail_.append(bytes.size() > kTailLimit ? bytes.substr(bytes.size() - kTailLimit) : bytes);
  // Cut only now and then: a flood comes in small pieces.
  if (tail_.size() > 2 * kTailLimit) tail_.erase(0, tail_.size() - kTailLimit);
}

void RunLog::Finish() {
  if (total_bytes_ <= kHeadLimit) return;
  const size_t end = std::min({tail_.size(), kTailLimit, total_bytes_ - kHeadLimit});
  const size_t left_out = total_bytes_ - kHeadLimit - end;
  if (left_out > 0) Write("\n[" + std::to_string(left_out) + " bytes are left out here]\n");
  Write(std::string_view(tail_).substr(tail_.size() - end));
}

std::string RunLog::Tail(size_t limit) const {
  if (tail_.size() <= limit) return tail_;
  const size_t start = tail_.size() - limit;
  const size_t newline = tail_.find('\n', start);
  return tail_.substr(newline == std::string::npos || newline + 1 == tail_.size() ? start : newline + 1);
}

void RunLog::Write(std::string_view bytes) {
  if (descriptor_ < 0 || bytes.empty()) return;
  const ssize_t written = write(descriptor_, bytes.data(), bytes.size());
  if (written > 0) file_bytes_ += static_cast<size_t>(written);
}

}  // namespace fleetmark::agent
