#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <iterator>

#include "agent/worker/command_line.h"
#include "agent/worker/describe.h"
#include "agent/worker/event_writer.h"
#include "agent/worker/run_command.h"
#include "agent/worker/torch_failure.h"
#include "common/build_info.h"
#include "common/worker_protocol.h"

namespace fleetmark {
namespace {

// The descriptor that FLEETMARK_EVENT_FD names; standard output without it; -1, which nothing can be written to, where
// it names none.
int EventDescriptor() {
  const char* text = std::getenv(kEventFdVariable);
  if (text == nullptr) return STDOUT_FILENO;
  int descriptor = -1;
  const char* const end = text + std::strlen(text);
  return std::from_chars(text, end, descriptor).ptr == end ? descriptor : -1;
}

Status Execute(const std::vector<std::string>& arguments, double main_started, EventWriter* writer) {
  FLEETMARK_ASSIGN_OR_RETURN(const CommandLine command, ParseCommandLine(arguments));
  if (command.verb == CommandLine::Verb::kHelp) {
    std::fputs(kHelpText, stdout);
  } else if (command.verb == CommandLine::Verb::kVersion) {
    std::cout << "fleetmark-worker " << GetBuildInfo().version << " (" << GetBuildInfo().git_revision << ")\n";
  } else if (command.verb == CommandLine::Verb::kDescribe) {
    std::cout << DescribeRunner().dump(2) << "\n";
  } else if (command.spec) {
    return ExecuteRun(*command.spec, std::nullopt, main_started, writer);
  } else {
    const std::string text{std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
    FLEETMARK_ASSIGN_OR_RETURN(const RunSpec spec, ParseRunSpec(text));
    return ExecuteRun(spec, text, main_started, writer);
  }
  return OkStatus();
}

int Main(const std::vector<std::string>& arguments) {
  const double main_started = MonotonicClock().Now();
  std::signal(SIGPIPE, SIG_IGN);
  EventWriter writer(EventDescriptor());
  Status status;
  try {
    status = Execute(arguments, main_started, &writer);
  } catch (...) {
    status = CurrentExceptionAsFailure();
  }
  if (status.ok() && !writer.open())
    status = Internal("the events could not be written",
                      "see " + std::string(kEventFdVariable) + " and the space where they go", "internal");
  if (status.ok()) return 0;
  writer.Error(status);
  std::cerr << "fleetmark-worker: " << status.ToString() << "\n";
  return ExitCodeOfFailure(status.kind());
}

}  // namespace
}  // namespace fleetmark

int main(int argc, char** argv) { return fleetmark::Main(std::vector<std::string>(argv + 1, argv + argc)); }
