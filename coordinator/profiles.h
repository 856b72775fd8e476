#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/status.h"
#include "coordinator/core_state.h"

// The machines' own tuned profiles: what `--profile tuned` means for a workload's board on one device.
namespace fleetmark {

// Checks each profile against what its agent describes (device, runtime, workload, tunable settings within bounds),
// completes and keeps them all; or refuses all with what is wrong with one. An agent that would ignore it is refused as
// too old.
void OnKeepProfiles(StepContext& step, const KeepProfilesAsked& event);
void OnForgetProfiles(StepContext& step, const ForgetProfilesAsked& event);

// Sorted as ListProfilesResponse has them. NOT_FOUND for an agent that there is not.
StatusOr<std::vector<v1::TunedProfile>> MatchingProfiles(const CoreState& state, const v1::ProfileFilter& filter);

// What the profile of `run` sets on this agent beyond the workload's own; nothing unless it is `tuned`.
const google::protobuf::Map<std::string, std::string>* SettingsFor(const CoreState& state, const Agent& agent,
                                                                   const RunRecord& run);

}  // namespace fleetmark
