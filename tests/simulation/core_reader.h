#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "agent/agent_core.h"
#include "coordinator/coordinator_core.h"
#include "tests/simulation/digest.h"

namespace fleetmark::simulation {

// Sees what the cores keep to themselves. What stands in the same words in their store or journal is told by those.
class CoreReader {
 public:
  static int RevisionOf(const agent::AgentCore& core) { return core.state_.revision; }
  static void Describe(const agent::AgentCore& core, int agent, int64_t boottime_ns, Digest* digest);
  // Of these agents, by id.
  static void Describe(const CoordinatorCore& core, const std::map<std::string, Digest::Reference>& agents,
                       int64_t boottime_ns, Digest* digest);
};

}  // namespace fleetmark::simulation
