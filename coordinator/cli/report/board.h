#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/status.h"
#include "coordinator/cli/report/ratio.h"
#include "fleetmark/v1/coordinator.pb.h"

namespace fleetmark {

// What one machine, device, runtime and profile came to on a board: the repetitions of its newest job.
struct ReportSeries {
  std::string profile;            // "stock", "tuned threads=1": with what the run set over it
  std::vector<v1::RunInfo> runs;  // by repetition
  size_t shown = 0;               // the run in the middle, which the leaderboard shows as well
  const v1::RunInfo& run() const { return runs[shown]; }
};

// Results that may be compared: of one workload, version and set of the parameters that define a board.
struct ReportBoard {
  v1::WorkloadSpec workload;
  std::string key;                       // "n=12288 variant=torchscript"; "" where no parameter defines a board
  std::vector<ReportSeries> series;      // fastest first
  std::vector<v1::Reference> published;  // on the board of the defaults
};

// What a report is asked to be about. Empty: everything.
struct ReportChoice {
  std::vector<std::string> workloads;
  std::set<std::string> agents;
  std::map<std::string, std::string> parameters;  // a board has these
};

// Puts runs, oldest first, into boards. What is not shown is dropped as soon as a newer job takes its place, so that
// memory holds one job for each row.
class ReportCollector {
 public:
  // Refuses workloads and parameters that there are not.
  static StatusOr<ReportCollector> Make(ReportChoice choice, const v1::ListWorkloadsResponse& offers,
                                        const v1::ListReferencesResponse& references);

  // One that did not succeed, is unranked or was not chosen is left out.
  void Take(const v1::RunInfo& run);

  // By workload, then version, then key; boards that only have published rows as well. At most once.
  std::vector<ReportBoard> TakeBoards();

 private:
  using SeriesKey = std::vector<std::string>;
  struct Board {
    v1::WorkloadSpec workload;
    std::map<SeriesKey, ReportSeries> series;
  };
  using BoardId = std::pair<std::string, std::pair<int, std::string>>;  // workload, version, key

  bool IsChosen(const std::string& workload) const;
  bool HasChosenParameters(const std::map<std::string, std::string>& board_parameters) const;
  Status CheckParameters() const;
  void AddPublishedBoards();
  // Of that version, by our own runtime where that has it; the newest where no agent offers that version any more, and
  // for 0.
  v1::WorkloadSpec SpecOf(const std::string& workload, int version) const;

  ReportChoice choice_;
  std::vector<v1::WorkloadOffer> offers_;
  std::vector<v1::Reference> references_;
  std::map<BoardId, Board> boards_;
};

// The metric that a board ranks by: the workload's first.
std::string PrimaryMetric(const v1::WorkloadSpec& workload);
// As declared, else by its name: of a rate more is better, of anything else less.
bool IsLessBetter(const v1::WorkloadSpec& workload, const std::string& metric);

Estimate EstimateOf(const v1::Metric& metric);

}  // namespace fleetmark
