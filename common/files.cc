#include "common/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace fleetmark {
namespace {

Status SystemError(const std::string& what, const std::filesystem::path& path) {
  const int error = errno;
  const std::string message = what + " " + path.string() + ": " + std::strerror(error);
  switch (error) {
    case ENOENT:
      return NotFound(message);
    case EACCES:
    case EPERM:
    case EROFS:
      return Status(StatusCode::kPermissionDenied, message, "check who owns it and whether it is writable");
    case ENOSPC:
    case EDQUOT:
      return ResourceExhausted(message, "free some space on this file system", "disk_full");
    default:
      return Internal(message);
  }
}

bool WriteAll(int descriptor, std::string_view contents) {
  while (!contents.empty()) {
    const ssize_t written = write(descriptor, contents.data(), contents.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    contents.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace

StatusOr<std::string> ReadFile(const std::filesystem::path& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return SystemError("cannot read", path);
  std::ostringstream contents;
  contents << file.rdbuf();
  if (file.bad()) return SystemError("cannot read", path);
  return std::move(contents).str();
}

Status SyncDirectory(const std::filesystem::path& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return SystemError("cannot open the directory", path);
  const int result = fsync(descriptor);
  close(descriptor);
  return result == 0 ? OkStatus() : SystemError("cannot sync the directory", path);
}

Status WriteFileAtomically(const std::filesystem::path& path, std::string_view contents) {
  const std::filesystem::path temporary = path.string() + ".tmp" + std::to_string(getpid());
  const int descriptor = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor < 0) return SystemError("cannot write", temporary);
  const bool written = WriteAll(descriptor, contents) && fsync(descriptor) == 0;
  Status status = written ? OkStatus() : SystemError("cannot write", temporary);
  close(descriptor);
  if (status.ok() && rename(temporary.c_str(), path.c_str()) != 0) status = SystemError("cannot replace", path);
  if (!status.ok()) {
    unlink(temporary.c_str());
    return status;
  }
  return SyncDirectory(path.has_parent_path() ? path.parent_path() : ".");
}

Status MakeDirectory(const std::filesystem::path& path, bool is_private) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) {
    errno = error.value();
    return SystemError("cannot make the directory", path);
  }
  if (is_private && chmod(path.c_str(), 0700) != 0) return SystemError("cannot make private", path);
  const std::string probe = (path / ".probe-XXXXXX").string();
  std::string name = probe;
  const int descriptor = mkostemp(name.data(), O_CLOEXEC);
  if (descriptor < 0) return SystemError("cannot write in the directory", path);
  close(descriptor);
  unlink(name.c_str());
  return OkStatus();
}

StatusOr<double> FreeBytes(const std::filesystem::path& path) {
  struct statvfs space {};
  if (statvfs(path.c_str(), &space) != 0) return SystemError("cannot ask for free space at", path);
  return static_cast<double>(space.f_bavail) * static_cast<double>(space.f_frsize);
}

StatusOr<FileLock> FileLock::Acquire(const std::filesystem::path& path) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return SystemError("cannot open the lock", path);
  FileLock lock(descriptor);
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    char holder[32] = {};
    const ssize_t size = pread(descriptor, holder, sizeof(holder) - 1, 0);
    return AlreadyExists(path.parent_path().string() + " is in use by process " +
                             (size > 0 ? std::string(holder, strcspn(holder, "\n")) : std::string("unknown")),
                         "stop that process, or use another --state-dir", "state_dir_in_use");
  }
  const std::string pid = std::to_string(getpid()) + "\n";
  if (ftruncate(descriptor, 0) != 0 || pwrite(descriptor, pid.data(), pid.size(), 0) < 0) {
    return SystemError("cannot write", path);
  }
  return lock;
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

std::filesystem::path ProgramDirectory() {
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? std::filesystem::path(".") : program.parent_path();
}

}  // namespace fleetmark
