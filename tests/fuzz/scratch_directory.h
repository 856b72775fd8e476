#pragma once

#include <filesystem>
#include <string_view>

namespace fleetmark::fuzz {

// A directory in memory (/dev/shm) where there is one, for this process alone, gone with it. One a target.
class ScratchDirectory {
 public:
  ScratchDirectory();
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path Write(std::string_view name, std::string_view contents) const;
  void RemoveContents() const;

 private:
  std::filesystem::path path_;
};

}  // namespace fleetmark::fuzz
