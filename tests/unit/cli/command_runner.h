#pragma once

#include <string>
#include <vector>

#include "coordinator/cli/render/terminal.h"

namespace fleetmark {

struct CommandResult {
  int exit_code = -1;
  std::string out, err;
};

// Runs one command line in this process, as in a pipe or in `terminal`.
CommandResult RunCommand(const std::vector<std::string>& arguments, const Terminal& terminal = Terminal());

}  // namespace fleetmark
