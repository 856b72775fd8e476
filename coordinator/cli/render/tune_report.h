#pragma once

#include <string>

#include "coordinator/cli/render/terminal.h"
#include "fleetmark/v1/coordinator.pb.h"

namespace fleetmark {

// What a search tried, best first, with what each candidate's speed was against stock's.
std::string RenderTried(const v1::TunedProfile& profile, const Terminal& terminal);

// The profiles that are kept, a line each.
std::string RenderProfiles(const v1::ListProfilesResponse& list, const Terminal& terminal, double now_unix_s);

}  // namespace fleetmark
