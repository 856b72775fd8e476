#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "common/status.h"

namespace fleetmark {

// Every Status names the path and the system's own words.
StatusOr<std::string> ReadFile(const std::filesystem::path& path);

// Whole or not at all, also over a power cut: writes beside `path`, syncs, renames, syncs the directory.
Status WriteFileAtomically(const std::filesystem::path& path, std::string_view contents);

// Makes what was created, renamed or removed in this directory survive the loss of power.
Status SyncDirectory(const std::filesystem::path& path);

// Makes `path` (mode 0700 when `is_private`) with its parents, and checks that files can be written in it.
Status MakeDirectory(const std::filesystem::path& path, bool is_private);

// Bytes that this user may still write on the file system of `path`.
StatusOr<double> FreeBytes(const std::filesystem::path& path);

// A lock on `path` that ends with this process (flock). Another holder makes it fail with ALREADY_EXISTS, naming its
// pid.
class FileLock {
 public:
  static StatusOr<FileLock> Acquire(const std::filesystem::path& path);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

// The directory of the running program.
std::filesystem::path ProgramDirectory();

}  // namespace fleetmark
