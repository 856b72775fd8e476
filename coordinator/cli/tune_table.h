#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/cli/tune_space.h"
#include "fleetmark/v1/coordinator.pb.h"

namespace fleetmark {

// What came of one run of a search.
struct TuneMeasurement {
  std::string failure;  // why there is no number; "" when there is
  double value = 0;     // of the metric
  double speed = 0;     // the same so that more is faster
  std::optional<double> loss;
};

// The candidates of a search for the fastest settings, and what was measured of them. Speeds are compared within a
// round only. Not thread-safe.
class TuneTable {
 public:
  static constexpr size_t kStock = 0;

  explicit TuneTable(TuneSpace space);

  const TuneSpace& space() const { return space_; }
  // The workload's own tuned settings; kStock where those are the same.
  size_t baseline() const { return baseline_; }

  bool Knows(const TuneSettings& settings) const;
  // Makes it when it is new.
  size_t Find(const TuneSettings& settings);
  const TuneSettings& settings(size_t candidate) const { return candidates_[candidate].settings; }
  const std::string& name(size_t candidate) const { return candidates_[candidate].name; }
  // In how many parameters it differs from the baseline.
  int ChangesOf(size_t candidate) const;
  // Why it is out of the search: it failed, or its loss is another. "" while it is in.
  const std::string& exclusion(size_t candidate) const { return candidates_[candidate].exclusion; }
  bool IsIn(size_t candidate) const { return exclusion(candidate).empty(); }

  void Record(size_t candidate, int round, const TuneMeasurement& measurement);
  // Of stock with another seed.
  void RecordOtherSeed(const TuneMeasurement& measurement);

  // Compares every loss with stock's. They may differ a little, and where another random stream is drawn (a mask of
  // dropout) as far as stock's own differ from seed to seed. Until those were run a loss that needs them is left open;
  // where they cannot be run, or too few of them worked, only the same loss will do.
  void CheckLosses();
  bool NeedsOtherSeeds() const { return needs_other_seeds_; }
  bool has_loss() const { return candidates_[kStock].loss.has_value(); }

  // Its speeds against another's in the rounds from `first_round` on in which both ran.
  std::vector<double> Ratios(size_t candidate, size_t against, int first_round) const;
  // Their median; nothing without such a round.
  std::optional<double> Ratio(size_t candidate, size_t against, int first_round) const;
  // Whether it is faster than `against` by a share that is worth it, and by more than noise: 95 % interval of the
  // ratio.
  bool IsFaster(size_t candidate, size_t against, int first_round) const;

  // Best first, those that are out last.
  std::vector<v1::TunedCandidate> Rows(size_t kept) const;

 private:
  struct Candidate {
    std::string name;
    TuneSettings settings;
    std::map<int, double> speeds;  // by round
    std::vector<double> values;
    std::optional<double> loss;
    std::string loss_check = "none";
    std::string exclusion;
  };
  void CheckLoss(Candidate* candidate);
  v1::TunedCandidate RowOf(size_t candidate, size_t kept) const;

  // Why a loss that is not the same as stock's is another computation's; "" while it lies within stock's spread.
  std::string WhyAnother(double loss, double stock) const;

  const TuneSpace space_;
  size_t baseline_;
  std::vector<Candidate> candidates_;
  std::vector<double> stock_losses_;  // with each seed
  bool ran_other_seeds_ = false;
  bool needs_other_seeds_ = false;
};

// The least gain that counts, as a share, and in how many rounds both must have run for it to be more than noise.
inline constexpr double kLeastGain = 0.01;
inline constexpr size_t kFewestRounds = 3;

}  // namespace fleetmark
