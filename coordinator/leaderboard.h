#pragma once

#include <map>
#include <string>
#include <vector>

#include "coordinator/references.h"
#include "coordinator/store.h"
#include "fleetmark/v1/coordinator.pb.h"

// Boards and histories as pure functions of what was measured and published. What is derived here can be derived again:
// nothing of it is stored.
namespace fleetmark {

struct LeaderboardInput {
  v1::WorkloadSpec workload;
  v1::MetricSpec metric;                          // of `workload`
  std::map<std::string, std::string> parameters;  // as asked; what is absent has its default
  std::vector<BoardValue> values;                 // of that board and metric
  std::vector<Reference> references;              // of any workload; shown on the board of the defaults
  std::vector<std::string> boards;                // keys of all boards of the workload with results
  bool include_flagged = false;                   // rank flagged rows as the others
};

// One row for each agent, device, runtime, profile and overrides: of its newest job the run in the middle, so that the
// row is a run that can be looked at, and a lucky repetition does not make the board. Rows whose 95 % interval overlaps
// that of the first of their rank share it; a published row, and one without an interval, is a point. Published rows
// without this metric have no value and no rank; rows whose verdict is flagged have no rank unless they are included.
v1::Leaderboard BuildLeaderboard(const LeaderboardInput& input);

// The points in the order of `values` (oldest first), each with its change against the point before it on the same
// agent, device, runtime, profile and overrides, as a share (0.05 is 5 % more).
v1::History BuildHistory(const v1::WorkloadSpec& workload, const v1::MetricSpec& metric,
                         const std::map<std::string, std::string>& parameters, const std::vector<BoardValue>& values);

}  // namespace fleetmark
