#include "agent/device_locks.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <utility>

namespace fleetmark::agent {
namespace {

// A device's uuid comes from a runner; as a file name it keeps letters, digits, '-' and '_'.
std::string FileName(const std::string& uuid) {
  std::string name = "device-" + uuid;
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0 && c != '-' && c != '_'; }, '_');
  return name;
}

std::string ReadHolder(int descriptor) {
  char text[256] = {};
  const ssize_t size = pread(descriptor, text, sizeof(text) - 1, 0);
  return size > 0 ? std::string(text, strcspn(text, "\n")) : "somebody else";
}

// Whether the open file is still the one of that name: cleaners of /tmp take away what looks old.
bool IsStillThere(int descriptor, const std::filesystem::path& path) {
  struct stat opened {
  }, named{};
  return fstat(descriptor, &opened) == 0 && stat(path.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
         opened.st_dev == named.st_dev;
}

Status LockFile(const std::filesystem::path& path, int operation, const std::string& holder, HeldLocks* locks) {
  // First without O_CREAT: in a sticky directory the kernel refuses that for a file of another user.
  int descriptor = open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0) descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (descriptor < 0) {
    return FailedPrecondition("cannot open the device lock " + path.string() + ": " + std::strerror(errno),
                              "choose another --lock-dir, the same for all agents of this machine", "device_busy");
  }
  locks->Add(descriptor);
  fchmod(descriptor, 0666);  // whatever the umask: agents of several users share it; fails for a file of another user
  if (flock(descriptor, operation | LOCK_NB) != 0) {
    return FailedPrecondition(
        "this machine is busy: " + path.filename().string() + " is held by " + ReadHolder(descriptor),
        "wait for it, or start the agents with --share to run one worker per device", "device_busy");
  }
  if (!IsStillThere(descriptor, path)) {
    return FailedPrecondition("the device lock " + path.string() + " was taken away while it was locked", "",
                              "device_busy");
  }
  if (operation == LOCK_EX && ftruncate(descriptor, 0) == 0) {
    const std::string line = holder + "\n";
    (void)!pwrite(descriptor, line.data(), line.size(), 0);
  }
  return OkStatus();
}

}  // namespace

HeldLocks::HeldLocks(HeldLocks&& other) noexcept : descriptors_(std::exchange(other.descriptors_, {})) {}

HeldLocks& HeldLocks::operator=(HeldLocks&& other) noexcept {
  std::swap(descriptors_, other.descriptors_);
  return *this;
}

HeldLocks::~HeldLocks() {
  for (const int descriptor : descriptors_) close(descriptor);
}

Status DeviceLocks::Prepare() const {
  if (mkdir(directory_.c_str(), 01777) == 0) chmod(directory_.c_str(), 01777);
  struct stat info {};
  if (stat(directory_.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && access(directory_.c_str(), W_OK | X_OK) == 0) {
    return OkStatus();
  }
  return FailedPrecondition("--lock-dir " + directory_.string() + " is not a directory that can be written",
                            "choose another one, the same for all agents of this machine", "lock_dir");
}

StatusOr<HeldLocks> DeviceLocks::Acquire(const std::string& device_uuid, const std::string& holder) const {
  FLEETMARK_RETURN_IF_ERROR(Prepare());  // again: somebody may have cleaned up
  HeldLocks locks;
  FLEETMARK_RETURN_IF_ERROR(LockFile(directory_ / "machine", is_shared_ ? LOCK_SH : LOCK_EX, holder, &locks));
  if (is_shared_) FLEETMARK_RETURN_IF_ERROR(LockFile(directory_ / FileName(device_uuid), LOCK_EX, holder, &locks));
  return locks;
}

}  // namespace fleetmark::agent
