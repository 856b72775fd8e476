#include "tests/unit/cli/command_runner.h"

#include <cstdlib>
#include <sstream>

#include "coordinator/cli/command_line.h"

namespace fleetmark {

CommandResult RunCommand(const std::vector<std::string>& arguments, const Terminal& terminal) {
  // What the user of this machine has configured is not what is tested.
  for (const char* variable : {"FLEETMARK_COORDINATOR", "FLEETMARK_CONFIG", "FLEETMARK_INSECURE"}) unsetenv(variable);
  setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
  std::ostringstream out, err;
  CommandResult result;
  result.exit_code = RunCommandLine(arguments, {out, err, [terminal] { return terminal; }, RealClock(), nullptr});
  result.out = out.str();
  result.err = err.str();
  return result;
}

}  // namespace fleetmark
