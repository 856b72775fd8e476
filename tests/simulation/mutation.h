#pragma once

#include <string_view>

namespace fleetmark::simulation {

// The mutant that is switched on in this process; "" for none. See mutants.py.
inline std::string_view active_mutant;

inline bool IsMutated(std::string_view name) { return name == active_mutant; }

}  // namespace fleetmark::simulation
