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

// The values, defaults filled in, of the parameters that define a leaderboard of `workload`.
std::map<std::string, std::string> BoardParameters(const v1::WorkloadSpec& workload,
                                                   const std::map<std::string, std::string>& parameters);

// The same as one text, "n=12288 variant=torchscript", sorted by name; "" when no parameter defines a board.
std::string BoardKey(const v1::WorkloadSpec& workload, const std::map<std::string, std::string>& parameters);

// The serialization with maps sorted by key, so that equal messages have equal bytes.
std::string DeterministicBytes(const google::protobuf::Message& message);

// sha256 over the deterministic serialization of `spec` without dataset_dir.
std::string SpecSha256(const v1::RunSpec& spec);

}  // namespace fleetmark
