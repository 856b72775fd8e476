#include "coordinator/profiles.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "common/run_spec.h"
#include "common/vocabulary.h"
#include "coordinator/registry.h"
#include "coordinator/targets.h"

namespace fleetmark {
namespace {

// What was asked for, checked, with everything that the caller need not know.
StatusOr<v1::TunedProfile> Complete(const StepContext& step, const v1::TunedProfile& asked) {
  FLEETMARK_ASSIGN_OR_RETURN(const Agent* agent, NamedAgent(step.state, asked.agent()));
  const v1::AgentDescription& description = agent->record.description;
  FLEETMARK_RETURN_IF_ERROR(CheckKnowsProfiles(description.name(), description.version(), description.features()));
  v1::SubmitRequest request;
  request.set_workload(asked.workload());
  request.set_runtime(asked.runtime());
  request.set_device(asked.device());
  FLEETMARK_ASSIGN_OR_RETURN(const Placement place, PlaceOn(agent->machine(), request));
  if (place.devices.size() != 1)
    return InvalidArgument("a profile is for one device, not for all", "", "bad_parameter");
  FLEETMARK_ASSIGN_OR_RETURN(const auto parameters, CheckBoardParameters(*place.workload, {asked.parameters().begin(),
                                                                                           asked.parameters().end()}));
  FLEETMARK_ASSIGN_OR_RETURN(const auto settings,
                             CheckTunableSettings(*place.workload, {asked.settings().begin(), asked.settings().end()}));
  v1::TunedProfile profile = asked;
  profile.set_agent_id(agent->id());
  profile.set_runtime(place.runtime);
  profile.set_device(place.devices.front());
  for (const v1::Device& device : description.devices()) {
    if (device.name() == profile.device()) profile.set_device_uuid(device.uuid());
  }
  profile.set_workload_version(place.workload->version());
  const auto board = BoardParameters(*place.workload, parameters);
  *profile.mutable_parameters() = {board.begin(), board.end()};
  profile.set_board(BoardKey(*place.workload, parameters));
  *profile.mutable_settings() = {settings.begin(), settings.end()};
  profile.set_kept_unix_s(step.now.unix_s());
  return profile;
}

bool Matches(const v1::TunedProfile& profile, const std::string& agent_id, const v1::ProfileFilter& filter) {
  const auto is = [](const std::string& wanted, const std::string& value) { return wanted.empty() || wanted == value; };
  return is(filter.workload(), profile.workload()) && is(agent_id, profile.agent_id()) &&
         is(filter.device(), profile.device()) && is(filter.runtime(), profile.runtime()) &&
         std::all_of(filter.parameters().begin(), filter.parameters().end(), [&](const auto& parameter) {
           const auto found = profile.parameters().find(parameter.first);
           return found != profile.parameters().end() && found->second == parameter.second;
         });
}

}  // namespace

void OnKeepProfiles(StepContext& step, const KeepProfilesAsked& event) {
  std::vector<v1::TunedProfile> profiles;
  for (const v1::TunedProfile& asked : event.profiles) {
    StatusOr<v1::TunedProfile> profile = Complete(step, asked);
    if (!profile.ok()) return step.Answer(event.reply, profile.status());
    profiles.push_back(*std::move(profile));
  }
  for (const v1::TunedProfile& profile : profiles) {
    step.state.profiles[KeyOf(profile)] = profile;
    step.effects.writes.push_back(PutProfile{profile});
  }
  step.effects.replies.push_back({event.reply, OkStatus(), "", {}, std::move(profiles)});
}

void OnForgetProfiles(StepContext& step, const ForgetProfilesAsked& event) {
  StatusOr<std::vector<v1::TunedProfile>> profiles = MatchingProfiles(step.state, event.filter);
  if (profiles.ok() && profiles->empty()) {
    profiles =
        NotFound("no tuned profile is kept for that", "fleetmark tune --list shows those that are", "no_profile");
  }
  if (!profiles.ok()) return step.Answer(event.reply, profiles.status());
  for (const v1::TunedProfile& profile : *profiles) {
    step.state.profiles.erase(KeyOf(profile));
    step.effects.writes.push_back(DropProfile{KeyOf(profile)});
  }
  step.effects.replies.push_back({event.reply, OkStatus(), "", {}, *std::move(profiles)});
}

StatusOr<std::vector<v1::TunedProfile>> MatchingProfiles(const CoreState& state, const v1::ProfileFilter& filter) {
  std::string agent_id;
  if (!filter.agent().empty()) {
    FLEETMARK_ASSIGN_OR_RETURN(const Agent* agent, NamedAgent(state, filter.agent()));
    agent_id = agent->id();
  }
  std::vector<v1::TunedProfile> found;
  for (const auto& [key, profile] : state.profiles) {
    if (!Matches(profile, agent_id, filter)) continue;
    found.push_back(profile);
    // It may have another name since.
    const auto agent = state.agents.find(key.agent_id);
    if (agent != state.agents.end()) found.back().set_agent(agent->second->name());
  }
  const auto order = [](const v1::TunedProfile& profile) {
    return std::tie(profile.workload(), profile.agent(), profile.device(), profile.runtime(), profile.board());
  };
  std::sort(found.begin(), found.end(), [&](const auto& a, const auto& b) { return order(a) < order(b); });
  return found;
}

const google::protobuf::Map<std::string, std::string>* SettingsFor(const CoreState& state, const Agent& agent,
                                                                   const RunRecord& run) {
  if (run.spec.profile() != kTunedProfile) return nullptr;
  ProfileKey key{agent.id(), "", run.spec.runtime(), run.spec.workload(), run.spec.workload_version(), run.board};
  for (const v1::Device& device : agent.record.description.devices()) {
    if (device.name() == run.spec.device()) key.device_uuid = device.uuid();
  }
  const auto found = state.profiles.find(key);
  return found == state.profiles.end() || found->second.settings().empty() ? nullptr : &found->second.settings();
}

}  // namespace fleetmark
