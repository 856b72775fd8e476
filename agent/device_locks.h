#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/status.h"

namespace fleetmark::agent {

// The locks of one worker. The worker inherits the descriptors, so that the locks end with the last process that holds
// one: they are never unlocked, only closed. Not copyable.
class HeldLocks {
 public:
  HeldLocks() = default;
  HeldLocks(HeldLocks&& other) noexcept;
  HeldLocks& operator=(HeldLocks&& other) noexcept;
  ~HeldLocks();
  void Add(int descriptor) { descriptors_.push_back(descriptor); }
  const std::vector<int>& descriptors() const { return descriptors_; }

 private:
  std::vector<int> descriptors_;
};

// Keeps workers of all agents of this machine apart: one at a time, or with `share` one per device. The directory is
// the machine's, not the agent's. Stateless; thread-safe.
class DeviceLocks {
 public:
  DeviceLocks(std::filesystem::path directory, bool share) : directory_(std::move(directory)), is_shared_(share) {}

  // Makes the directory for all users of the machine (mode 1777) where it is missing.
  Status Prepare() const;

  // `holder` is what others are told while it is held ("attempt x of agent y"). FAILED_PRECONDITION, kind
  // "device_busy", naming the holder, when somebody else's worker has it.
  StatusOr<HeldLocks> Acquire(const std::string& device_uuid, const std::string& holder) const;

 private:
  std::filesystem::path directory_;
  bool is_shared_;
};

}  // namespace fleetmark::agent
