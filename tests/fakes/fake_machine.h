#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/fakes/temporary_directory.h"

namespace fleetmark {

// A tree of made-up files of /proc and /sys.
class FakeMachine {
 public:
  // Readable for all, also while this process is nobody.
  FakeMachine() { std::filesystem::permissions(root(), std::filesystem::perms{0755}); }
  const std::filesystem::path& root() const { return directory_.path(); }

  void Write(const std::string& file, const std::string& text) const {
    std::filesystem::create_directories((root() / file).parent_path());
    std::ofstream(root() / file) << text;
  }
  void Remove(const std::string& path) const { std::filesystem::remove_all(root() / path); }
  void Forbid(const std::string& file) const { std::filesystem::permissions(root() / file, std::filesystem::perms{0}); }

 private:
  TemporaryDirectory directory_;
};

// Root may read everything: while this lives, a process of root's is nobody.
class WithoutRoot {
 public:
  WithoutRoot() : is_root_(geteuid() == 0) {
    if (is_root_ && seteuid(kNobody) != 0) ADD_FAILURE() << "cannot become nobody";
  }
  ~WithoutRoot() {
    if (is_root_ && seteuid(0) != 0) ADD_FAILURE() << "cannot become root again";
  }
  WithoutRoot(const WithoutRoot&) = delete;
  WithoutRoot& operator=(const WithoutRoot&) = delete;

 private:
  static constexpr uid_t kNobody = 65534;
  const bool is_root_;
};

}  // namespace fleetmark
