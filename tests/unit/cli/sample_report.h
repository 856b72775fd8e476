#pragma once

#include <string>
#include <vector>

#include "coordinator/cli/report/board.h"

// What the tests of `fleetmark report` report on.
namespace fleetmark {

// mnist_cnn as an agent offers it: batch defines the board, threads is tunable.
v1::ListWorkloadsResponse SampleOffers();

// A run of mnist_cnn on "lab-3" with a value of samples_per_s, its interval, telemetry, step times, change points and
// epochs; job and id are made from `name`.
v1::RunInfo SampleMeasured(const std::string& name, const std::string& device, const std::string& runtime,
                           double samples_per_s);

// On lab-3 a CPU and a GPU, one of them by two frameworks, and on lab-4 a CPU that was throttled.
std::vector<v1::RunInfo> SampleReportRuns();

// Published: of one system a CPU and a GPU by two frameworks.
v1::ListReferencesResponse SampleReferences();

// The boards of `runs`.
std::vector<ReportBoard> SampleBoards(const std::vector<v1::RunInfo>& runs, const ReportChoice& choice = {});

}  // namespace fleetmark
