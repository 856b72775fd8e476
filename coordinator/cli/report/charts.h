#pragma once

#include "fleetmark/v1/cli.pb.h"
#include "fleetmark/v1/run.pb.h"

namespace fleetmark {

// What a run's evidence looks like over time: use of CPU and GPU, memory, clocks and temperatures with the measured
// part set off; step times with the warm-up and the change points; loss and accuracy. Only what was measured is drawn;
// of what was not, one sentence says so.
void AddCharts(const v1::Result& result, bool is_on_gpu, v1::ReportSection* section);

}  // namespace fleetmark
