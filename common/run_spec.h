#pragma once

#include <map>
#include <string>

#include "common/status.h"
#include "fleetmark/v1/run.pb.h"
#include "fleetmark/v1/workload.pb.h"

namespace fleetmark {

// Checks `parameters` against what the workload declares (known name, type, bounds, choices) and returns them in
// canonical form. Coordinator and agent both call this: a job carries nothing that was not declared.
StatusOr<std::map<std::string, std::string>> CheckParameters(const v1::WorkloadSpec& workload,
                                                             const std::map<std::string, std::string>& parameters);

// The same for parameters that are to choose a leaderboard: one that defines none is refused, for it would choose
// nothing.
StatusOr<std::map<std::string, std::string>> CheckBoardParameters(const v1::WorkloadSpec& workload,
                                                                  const std::map<std::string, std::string>& parameters);

// The same for what a tuned profile sets: one that is not tunable is refused, for it would change what is computed.
StatusOr<std::map<std::string, std::string>> CheckTunableSettings(const v1::WorkloadSpec& workload,
                                                                  const std::map<std::string, std::string>& settings);

// Refuses agents' names that --on could not tell from its other words ("all", "any", KEY=VALUE) or that do not fit in a
// word of a command.
Status CheckAgentName(const std::string& name);

// The values, defaults filled in, of the parameters that define a leaderboard of `workload`.
std::map<std::string, std::string> BoardParameters(const v1::WorkloadSpec& workload,
                                                   const std::map<std::string, std::string>& parameters);

// The same as one text, "n=12288 variant=torchscript", sorted by name; "" when no parameter defines a board.
std::string BoardKey(const v1::WorkloadSpec& workload, const std::map<std::string, std::string>& parameters);

// The tunable ones of `parameters`, "allocator=retain threads=1", sorted by name; "" when none was set. What profile
// `stock` has anyway is left out.
std::string OverridesKey(const v1::WorkloadSpec& workload, const std::string& profile,
                         const std::map<std::string, std::string>& parameters);

// The serialization with maps sorted by key, so that equal messages have equal bytes.
std::string DeterministicBytes(const google::protobuf::Message& message);

// sha256 over the deterministic serialization of `spec` without dataset_dir.
std::string SpecSha256(const v1::RunSpec& spec);

}  // namespace fleetmark
