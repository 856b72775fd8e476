#include <unistd.h>

#include <iostream>
#include <string>
#include <vector>

#include "coordinator/cli/command_line.h"
#include "coordinator/cli/exit_code.h"
#include "coordinator/cli/signals.h"

int main(int argc, char** argv) {
  fleetmark::Signals signals;  // before gRPC makes threads
  std::ios::sync_with_stdio(false);
  const fleetmark::Surroundings surroundings{
      std::cout, std::cerr, [] { return fleetmark::MeasureTerminal(STDOUT_FILENO); }, fleetmark::RealClock(), &signals};
  const int code = fleetmark::RunCommandLine(std::vector<std::string>(argv + 1, argv + argc), surroundings);
  if (!std::cout.flush()) {
    std::cerr << "error: cannot write to the standard output\n";
    return static_cast<int>(fleetmark::ExitCode::kCoordinatorError);
  }
  return code;
}
