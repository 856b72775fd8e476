#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/status.h"
#include "coordinator/cli/tune_table.h"

namespace fleetmark {

// One run that the search asks for.
struct TuneTrial {
  TuneSettings settings;
  bool is_stock = false;
  int seed_offset = 0;  // to the seed of all others: stock with another one, for its loss alone
};

// Searches the fastest settings whose losses are stock's. Pure: it owns no clock and runs nothing.
//
// The trials are made in rounds. A round has stock and every candidate of its stage once, every other time in the
// opposite order, so that what drifts on the machine hits all alike. A stage measures all settings that differ from the
// best so far in one parameter; its successor begins where what was faster comes together. When nothing is faster any
// more, or the time is up, the best and the workload's own tuned settings are measured anew, for what won among many
// may have won by luck.
class TuneSearch {
 public:
  // `run_s` is how long one run takes, about; it is learnt as results come.
  TuneSearch(TuneSpace space, double run_s);

  // How long the next round takes, and the least time in which a result can be found.
  double RoundS() const;
  int RoundSize() const { return static_cast<int>(stage_.contestants.size()); }
  double LeastS() const;

  // The trials of the next round that fits in `left_s`; none when the search has ended.
  std::vector<TuneTrial> NextRound(double left_s);
  // One for each of them, in their order, and how long the round took. Fails when stock itself does: there is nothing
  // to compare with.
  Status Take(const std::vector<TuneMeasurement>& measurements, double took_s);

  const TuneTable& table() const { return table_; }
  // Whether the round that is under way confirms what was found.
  bool is_final() const { return stage_.is_final; }

  struct Outcome {
    size_t kept = 0;
    // The workload's own were beaten by more than noise, or do not work here: then the best, or where that is out as
    // well, stock.
    bool is_own = false;
    double gain = 1;        // speed against the workload's own tuned settings
    double stock_gain = 1;  // against stock
  };
  Outcome Conclude() const;

 private:
  struct Stage {
    size_t center = 0;
    std::vector<size_t> contestants;  // stock first
    int first_round = 0;
    int rounds = 0;
    bool is_final = false;
  };

  void BeginStage(size_t center, const std::vector<size_t>& contestants);
  void BeginFinal(size_t best);
  void EndStage(double left_s);
  double FinalS() const;
  bool IsStageOver(double left_s) const;
  void DropHopeless();
  size_t BestOfStage() const;
  bool IsBetter(size_t candidate, size_t than) const;
  // The stage's center with every single change that was faster.
  TuneSettings Merged() const;
  std::vector<TuneTrial> RoundOfSeeds() const;

  TuneTable table_;
  double run_s_;
  int round_ = 0;
  Stage stage_;
  std::vector<size_t> asked_;  // of the round that is under way; empty for a round of seeds
  bool has_ended_ = false;
};

}  // namespace fleetmark
