#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "tests/fakes/power_cut_disk.h"

namespace fleetmark {

// Makes every SQLite database below `root()` live on a PowerCutDisk, opened by the product's own code: the VFS is
// SQLite's default one in this process, and passes all other paths on. What is shared between connections (locks, the
// index of a write-ahead log) is in memory and gone with the power. Destroyed after every connection.
class PowerCutMachine {
 public:
  explicit PowerCutMachine(PowerCutDisk disk = PowerCutDisk());
  ~PowerCutMachine();
  PowerCutMachine(const PowerCutMachine&) = delete;
  PowerCutMachine& operator=(const PowerCutMachine&) = delete;

  const std::filesystem::path& root() const { return root_; }
  PowerCutDisk& disk() { return disk_; }

  // What the disk does with the next steps: 0 or an SQLite error code. Asked before each that writes, cuts to size,
  // syncs, makes or removes; a write that fails with SQLITE_FULL leaves its first half.
  std::function<int(const PowerCutDisk::Step&)> fail;
  // Another place that cannot be read, of any file: 0 or an SQLite error code.
  std::function<int(uint64_t offset)> fail_read;
  // Syncs are answered and not done: what synchronous=OFF comes to.
  bool ignores_syncs = false;

  struct Shared;  // between connections to one file
  Shared& SharedOf(const std::string& name);
  int Do(const PowerCutDisk::Step& step);

 private:
  std::filesystem::path root_;
  PowerCutDisk disk_;
  std::map<std::string, std::unique_ptr<Shared>> shared_;
};

}  // namespace fleetmark
