#pragma once

#include <string>

#include "coordinator/cli/render/terminal.h"
#include "fleetmark/v1/coordinator.pb.h"

namespace fleetmark {

// What tells the runs of one watch apart: "lab-3 cuda:0 mnist_cnn tuned #2".
std::string RunLabel(const v1::RunInfo& run);

// A run that has not ended: label, phase, bar, percentage, rate and ETA, or why it waits; at most terminal.width
// columns, the label padded to `label_width`.
std::string ActiveLine(const v1::RunUpdate& update, int label_width, const Terminal& terminal);

// A run that has ended: label, state, result or reason, how long it took.
std::string EndedLine(const v1::RunInfo& run, int label_width, const Terminal& terminal);

// The progress of the last moment in words: "measure 63 %, 36.2 it/s, ETA 12 s".
std::string ProgressWords(const v1::Progress& progress);

}  // namespace fleetmark
