#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/worker/run_spec_json.h"
#include "common/status.h"

namespace fleetmark {

extern const char kHelpText[];

struct CommandLine {
  enum class Verb { kHelp, kVersion, kDescribe, kRun };
  Verb verb = Verb::kHelp;
  // For kRun: what the arguments say; empty when the specification comes on standard input.
  std::optional<RunSpec> spec = {};
};

// `arguments` without the program's name. Fails with "bad_parameter".
StatusOr<CommandLine> ParseCommandLine(const std::vector<std::string>& arguments);

}  // namespace fleetmark
