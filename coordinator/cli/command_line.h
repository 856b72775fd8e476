#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "common/clock.h"
#include "coordinator/cli/render/terminal.h"

namespace fleetmark {

class Signals;

// What surrounds one command line: the real thing in main, something to look at in tests.
struct Surroundings {
  std::ostream& out;
  std::ostream& err;
  std::function<Terminal()> measure;  // of `out`
  const Clock& clock;
  Signals* signals;  // may be null: then Ctrl-C simply ends the process
};

// Runs one command line, without the program's name. Returns the exit code. With --json among the arguments exactly one
// document goes to `out`, whatever happens (but for --help, which is text).
int RunCommandLine(const std::vector<std::string>& arguments, const Surroundings& surroundings);

}  // namespace fleetmark
