#include <malloc.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "agent/verbs.h"

namespace fleetmark::agent {

int ReportStatus(const Status& status) {
  if (status.ok()) return 0;
  std::fprintf(stderr, "fleetmark-agent: %s\n", status.message().c_str());
  if (!status.hint().empty()) std::fprintf(stderr, "  hint: %s\n", status.hint().c_str());
  switch (status.code()) {
    case StatusCode::kInvalidArgument:
    case StatusCode::kNotFound:
    case StatusCode::kAlreadyExists:
    case StatusCode::kFailedPrecondition:
      return 2;
    case StatusCode::kUnavailable:
      return 3;
    default:
      return 5;
  }
}

}  // namespace fleetmark::agent

int main(int argc, char** argv) {
  // gRPC's threads would each get an arena; an idle agent is to be small.
  mallopt(M_ARENA_MAX, 2);
  CLI::App app("The agent of one machine: runs training benchmarks and measures them", "fleetmark-agent");
  app.require_subcommand(1);
  int exit_code = 0;
  fleetmark::agent::AddServeVerb(&app, &exit_code);
  fleetmark::agent::AddRunVerb(&app, &exit_code);
  fleetmark::agent::AddDataVerb(&app, &exit_code);
  fleetmark::agent::AddRuntimesVerb(&app, &exit_code);
  fleetmark::agent::AddLeaveVerb(&app, &exit_code);
  fleetmark::agent::AddVersionVerb(&app, &exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    return fleetmark::agent::ReportStatus(
        fleetmark::InvalidArgument(error.what(), "see fleetmark-agent --help, or --help behind one of its verbs"));
  }
  return exit_code;
}
