#pragma once

#include <vector>

#include "coordinator/cli/report/board.h"
#include "fleetmark/v1/cli.pb.h"

namespace fleetmark {

// The whole report: a section for each board, with its results, ratios, calls, epochs and published numbers, and behind
// it one for the evidence of each run that it shows. Without boards it says what to do.
v1::ReportDocument ComposeReport(const std::vector<ReportBoard>& boards, double now_unix_s);

}  // namespace fleetmark
