#pragma once

#include <string>

#include "fleetmark/v1/coordinator.pb.h"

namespace fleetmark {

// CSV (RFC 4180, but lines end with "\n") with one row for each run and metric; a run without metrics has one row whose
// metric columns are empty. Numbers are the shortest that read back the same, times Unix seconds.
std::string CsvHeader();
std::string CsvRows(const v1::RunInfo& run);

}  // namespace fleetmark
