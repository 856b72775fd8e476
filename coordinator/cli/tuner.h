#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/status.h"
#include "coordinator/cli/interrupt_flag.h"
#include "coordinator/cli/tune_search.h"
#include "coordinator/cli/verb.h"
#include "coordinator/targets.h"
#include "fleetmark/v1/cli.pb.h"

namespace fleetmark {

// What is tuned: one workload by one runtime on one device of one agent.
struct TuneTarget {
  v1::AgentInfo agent;
  v1::Device device;
  std::shared_ptr<const v1::AgentDescription> machine;  // that `placement` is on
  Placement placement;                                  // with the parameters that were set
};

// What --budget says, and how much of it this search has.
struct TuneBudget {
  double whole_s = 0;
  int boards = 1;  // that share it
  double share_s = 0;
};

// Tunes one board: submits the trials of a TuneSearch as ordinary runs of that agent. What it finds is the caller's to
// keep. Whatever ends it early, no run of it is left.
class Tuner {
 public:
  Tuner(Session& session, const TuneTarget& target);

  // In about its share; refuses less than one round and a confirmation take.
  StatusOr<v1::TuneOutcome> Tune(const TuneBudget& budget);

 private:
  // Finds out how long a step and the rest of a run take, and which metric tells the speed.
  Status Pilot(double budget_s);
  Status ChooseMetric(const v1::Result& result);
  void ChooseSteps(const v1::RunInfo& pilot, double budget_s);
  Status Search(TuneSearch* search, double budget_s);
  Status TooShort(const TuneBudget& budget, const TuneSearch& search) const;
  v1::TuneOutcome OutcomeOf(const TuneSearch& search) const;

  v1::SubmitRequest BaseRequest() const;
  v1::SubmitRequest RequestOf(const TuneTrial& trial) const;
  TuneMeasurement MeasurementOf(const v1::RunInfo& run) const;
  // The runs as they ended, in this order. On any failure those that were submitted are cancelled.
  StatusOr<std::vector<v1::RunInfo>> RunAll(const std::vector<v1::SubmitRequest>& requests, double limit_s);
  Status TakeBack(const std::vector<std::string>& ids, const Status& why);

  const v1::ParameterSpec* Parameter(const std::string& name) const;
  bool IsSet(const std::string& name) const { return target_.placement.parameters.contains(name); }
  void Say(const std::string& text);
  double ElapsedS() const;

  Session& session_;
  const TuneTarget& target_;
  const TuneSpace space_;
  InterruptFlag interrupted_;
  const double started_s_;
  std::string metric_, unit_;
  bool is_more_better_ = false;
  std::map<std::string, std::string> fixed_;  // what every trial is given so that all do the same
  double run_s_ = 0;
  double run_limit_s_ = 0;
  int runs_ = 0;
};

}  // namespace fleetmark
