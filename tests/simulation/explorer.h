#pragma once

#include <cstddef>
#include <optional>
#include <ostream>

#include "tests/simulation/monitor.h"

namespace fleetmark::simulation {

// A fleet so small that everything which can happen to it is tried.
struct Model {
  int agents = 2;
  int runs = 2;
  bool is_any = false;  // long runs for any machine, whose leases may run out; else short ones pinned to each in turn
  int lost = 2;         // messages
  int crashes = 1;      // of each process
  int faults = 1000;    // of both kinds together
  size_t most_states = 100'000'000;  // some 100 bytes each
  // Whether states that count as one are held against each other: what follows them for a few steps must be the same.
  bool is_doubted = false;
};

struct Explored {
  size_t states = 0, transitions = 0;
  size_t ends = 0;   // states in which everything was over
  size_t depth = 0;  // of the longest way that was walked to a new state; to the violation if there is one
  bool is_whole = true;
  std::optional<Violation> violation;
};

// Tries each order in which messages arrive, each loss of a message, each death of a program, at any moment and at each
// commit and effect. From each state an end must be within reach. Left out is what would make too many states: time
// passes only when nothing else can happen, a program acts on each thing before the next one comes, the dead start
// before time passes, a fetch is given up after seconds, and a call for whose answer nobody waits is forgotten where
// the agent would refuse it now and after a restart. States from which the same can follow count as one (Digest). Stops
// at the first violation; `trace` then gets the way to it. Of several threads chance decides which violation that is.
Explored Explore(const Model& model, int threads, std::ostream* trace);

}  // namespace fleetmark::simulation
