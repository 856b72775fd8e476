#pragma once

#include <string>

#include "coordinator/cli/render/terminal.h"
#include "fleetmark/v1/coordinator.pb.h"

namespace fleetmark {

using RunList = google::protobuf::RepeatedPtrField<v1::RunInfo>;

// One line a run, as they come: what it is, how it stands, what came out.
std::string RenderRuns(const RunList& runs, const Terminal& terminal, double now_unix_s);

// How runs that were watched ended: the table, and under it each failure with its hint.
std::string RenderOutcome(const RunList& runs, const Terminal& terminal, double now_unix_s);

// "THROTTLED (heat)"; the kind alone where it has no cause.
std::string FormatVerdict(const std::string& kind, const std::string& cause);

// "a=1 b=2", sorted by name.
std::string JoinParameters(const google::protobuf::Map<std::string, std::string>& parameters);

}  // namespace fleetmark
