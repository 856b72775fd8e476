#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <vector>

#include "tests/simulation/explorer.h"
#include "tests/simulation/world.h"

namespace fleetmark::simulation {

// More than any way takes to its end, which are a few hundred.
inline constexpr size_t kMostChoices = 2000;

struct Choice {
  enum class Kind : uint8_t {
    kHappen,  // the `index`-th thing that can happen
    kLose,    // it is a message, and never arrives
    kDie,     // the `index`-th process
    kCrash,   // the `index`-th thing happens, and whoever acts on it dies at the `point`-th commit or effect
  } kind = Kind::kHappen;
  uint8_t index = 0;
  uint16_t point = 0;
};

// What a choice came to, for others to follow.
struct Taken {
  Choice choice;
  Party party;
  bool is_wakeup = false;  // of the coordinator, which may have several reasons for it
  size_t place = 0;        // among all that was about the same agent
  int64_t now_ns = 0;
};

// One way through a model, as far as it was chosen. It begins with a fleet that has come up, and jobs that are about to
// be submitted.
class Way {
 public:
  // `trace` as World's.
  Way(const Model& model, std::ostream* trace);

  // False when the process did not come to the point at which it was to die; then it lives. May throw a Violation.
  bool Take(const Choice& choice);
  const Taken& taken() const { return taken_; }
  // The same, as far as it was about this agent or about none; what was about another one does not happen here. Who was
  // to die in its turn does so at `point`, or after it: the turn may have been about the other one, too.
  void Follow(const Taken& taken, int agent, std::optional<int> point);
  // Lets the coordinator do whatever is due.
  void CatchUp();
  // Everything that may be chosen now, but for the later points of a crash.
  std::vector<Choice> Choices();
  // Of the world and of what may still go wrong in it.
  uint64_t Fingerprint();
  // Of one agent, of what the coordinator knows about it, and of what is under way between them.
  uint64_t FingerprintOf(int agent);
  // Every run has ended, every report is acknowledged and forgotten, and nothing is under way.
  bool IsOver();
  World& world() { return world_; }

 private:
  std::vector<Schedule::Key> Possible();
  size_t PlaceOf(const Schedule::Key& key);
  Schedule::Key KeyOf(const Taken& taken);
  void Settle();
  void Kill(size_t process);
  void KillAt(size_t process, int point);
  void Spare(size_t process);
  template <typename Act>
  bool OfProcess(size_t process, Act act) {
    return process == 0 ? act(world_.coordinator()) : act(world_.agent(static_cast<int>(process) - 1));
  }
  bool IsDoomed(size_t process);
  bool MayDie(size_t process);
  Schedule& schedule() { return world_.schedule(); }

  const Model model_;
  World world_;
  int lost_ = 0;
  std::vector<int> crashes_;  // of the coordinator, of each agent
  Taken taken_;
};

}  // namespace fleetmark::simulation
