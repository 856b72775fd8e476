#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace fleetmark {

// A disk in memory that knows what was synced. When the power is cut, whatever was not may be there, or not, or in
// part, in any order: writes by the sector, and what was made, removed or cut to size. It remembers each step, so that
// a whole history is made once, and the disk as a cut left it is then looked at for every step (Replay).
class PowerCutDisk {
 public:
  struct Step {
    enum class Kind { kCreate, kRemove, kWrite, kTruncate, kSyncFile, kSyncDirectory, kMark } kind;
    std::string name;
    uint64_t offset = 0;  // of kWrite; the new size, of kTruncate; the number, of kMark
    std::string data = {};
  };
  using Image = std::map<std::string, std::string>;  // what each file holds

  PowerCutDisk() = default;
  // As it is when the power comes back.
  explicit PowerCutDisk(const Image& image);

  void Apply(const Step& step);
  // A step that is none of the disk's: the user was told so much.
  void Mark(uint64_t number) { Apply({Step::Kind::kMark, "", number}); }

  // A sync that failed, as Linux has it: what could not be written counts as written from then on, and is gone with the
  // power.
  void FailToSync(const std::string& name);

  bool Exists(const std::string& name) const { return names_.contains(name); }
  // What a program reads, synced or not. The file must be there.
  const std::string& Contents(const std::string& name) const;
  uint64_t mark() const { return mark_; }
  const std::vector<Step>& history() const { return history_; }

  // How a cut treats what was not synced.
  enum class Fate {
    kLost,     // all of it
    kKept,     // nothing, as when only the program is killed
    kInOrder,  // some of the first steps are there, the last of them in part
    kAnyOrder  // each sector for itself is there, old, or torn; each name as well
  };
  Image Cut(Fate fate, std::mt19937_64& random) const;

  // Calls `look` with the disk at each step of `history`: with the step just done but not synced, or, where it is a
  // sync, not done yet.
  static void Replay(const std::vector<Step>& history,
                     const std::function<void(const PowerCutDisk&, const Step&)>& look);

 private:
  struct Inode {
    std::string current;
    std::string durable;
    std::vector<Step> unsynced;
  };
  using Names = std::map<std::string, std::shared_ptr<Inode>>;
  static void ApplyTo(std::string* contents, const Step& step);
  static std::string Survive(const Inode& inode, Fate fate, std::mt19937_64& random);
  static void Tear(std::string* contents, const Step& step, Fate fate, std::mt19937_64& random);

  Names names_;
  Names durable_names_;
  struct Renaming {
    std::string name;
    std::shared_ptr<Inode> inode;  // none: removed
  };
  std::vector<Renaming> unsynced_names_;
  uint64_t mark_ = 0;
  std::vector<Step> history_;
};

}  // namespace fleetmark
