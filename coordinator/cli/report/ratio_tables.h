#pragma once

#include "coordinator/cli/report/board.h"
#include "fleetmark/v1/cli.pb.h"

namespace fleetmark {

// How many times as fast one row of a board is as another, of rows that differ in one thing: the GPU against the CPU of
// its machine (of another, where that has no such row), framework against framework, tuned against stock, machine
// against machine. Flagged rows are left out.
void AddRatios(const ReportBoard& board, v1::ReportSection* section);

}  // namespace fleetmark
