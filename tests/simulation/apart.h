#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>

#include "tests/simulation/explorer.h"

namespace fleetmark::simulation {

struct Compared {
  size_t ways = 0, choices = 0, losses = 0, deaths = 0;
  std::optional<Violation> violation;
};

// Whether agents with runs of their own meddle with each other: of a model with several agents, and runs pinned to
// each. Takes `ways` ways at random from the seed through the whole model, and beside each, for each agent, a way in
// which of all choices only those happen that are about this agent or the coordinator. After each choice the agent,
// what the coordinator knows about it, and what is under way between them must be the same: what Explore finds of one
// agent then speaks for each of them. The coordinator does at once whatever is due. Stops at the first difference;
// `trace` then gets the way to it.
Compared CompareApart(const Model& model, size_t ways, uint64_t seed, std::ostream* trace);

}  // namespace fleetmark::simulation
