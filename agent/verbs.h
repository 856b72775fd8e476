#pragma once

#include "common/status.h"

namespace CLI {
class App;
}

// The verbs of fleetmark-agent, one file each. Each adds its subcommand to `app`; when that was given, it runs and
// leaves the exit code in `exit_code`.
namespace fleetmark::agent {

void AddServeVerb(CLI::App* app, int* exit_code);
void AddRunVerb(CLI::App* app, int* exit_code);
void AddDataVerb(CLI::App* app, int* exit_code);
void AddRuntimesVerb(CLI::App* app, int* exit_code);
void AddLeaveVerb(CLI::App* app, int* exit_code);
void AddVersionVerb(CLI::App* app, int* exit_code);

// Says on stderr what went wrong, with the hint; the exit code that belongs to it (0 for OK).
int ReportStatus(const Status& status);

}  // namespace fleetmark::agent
