#pragma once

#include <vector>

#include "coordinator/cli/report/board.h"
#include "fleetmark/v1/cli.pb.h"

namespace fleetmark {

// One call of a workload that measures single calls.
struct MeasuredCall {
  double wall_s = 0;
  double process_s = 0;  // over all threads
};

// The calls of a run, in order: what its runner put into the result's notes ("call 1: 2.31 s, 4.42 s of process time").
// Empty where it told none, or told them with gaps.
std::vector<MeasuredCall> CallsOf(const v1::Result& result);

// Every call of every script with warm-up calls apart, ours and the published ones; which runs made more calls than
// runners list.
void AddCalls(const ReportBoard& board, v1::ReportSection* section);

}  // namespace fleetmark
