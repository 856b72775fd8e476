#include "coordinator/records.h"

#include <algorithm>

#include "common/vocabulary.h"

namespace fleetmark {
namespace {

const std::vector<std::string> kAttemptStates = {"dispatched", "running", "result_ready", "stored", "refused"};

template <typename State>
std::optional<State> Parse(const std::vector<std::string>& names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? std::nullopt : std::optional(static_cast<State>(found - names.begin()));
}

}  // namespace

std::string_view RunStateName(RunState state) { return kRunStates[static_cast<size_t>(state)]; }
std::string_view AttemptStateName(AttemptState state) { return kAttemptStates[static_cast<size_t>(state)]; }
std::optional<RunState> ParseRunState(std::string_view name) { return Parse<RunState>(kRunStates, name); }
std::optional<AttemptState> ParseAttemptState(std::string_view name) {
  return Parse<AttemptState>(kAttemptStates, name);
}

ProfileKey KeyOf(const v1::TunedProfile& profile) {
  return {profile.agent_id(), profile.device_uuid(),      profile.runtime(),
          profile.workload(), profile.workload_version(), profile.board()};
}

}  // namespace fleetmark
