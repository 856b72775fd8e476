#pragma once

#include "coordinator/cli/report/board.h"
#include "fleetmark/v1/cli.pb.h"

namespace fleetmark {

// "lab-3 cuda:0 libtorch stock"
std::string NameOf(const ReportSeries& series);

// A value's interval as text: "± 0.41", "[70.1, 73.9]", "no interval: 2 samples".
std::string IntervalText(const v1::Metric& metric);

// A row for each machine, device, runtime and profile, published rows of the same metric beside, and why those that are
// flagged are.
void AddResults(const ReportBoard& board, v1::ReportSection* section);

// What the machine and the worker were busy with, of the runs that are shown.
void AddUse(const ReportBoard& board, v1::ReportSection* section);

// What every epoch of training came to, of the runs that are shown.
void AddEpochs(const ReportBoard& board, v1::ReportSection* section);

}  // namespace fleetmark
