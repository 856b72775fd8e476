#include "common/verdict.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/ceiling_metric.h"
#include "common/evidence.h"
#include "common/machine_checks.h"
#include "common/machine_view.h"
#include "common/page_faults.h"
#include "common/run_evidence.h"
#include "common/slowdown.h"
#include "common/statistics.h"
#include "common/telemetry.h"
#include "common/telemetry_view.h"
#include "common/vocabulary.h"

namespace fleetmark {
namespace {

namespace limits = verdict_limits;

// One judgement: looks at each thing in turn.
class Judgement {
 public:
  explicit Judgement(const v1::Result& result)
      : result_(result),
        telemetry_(result.telemetry()),
        machine_(result),
        step_s_(StepTimes(result)),
        fault_costs_(PageFaultsBehindChanges(result)),
        primary_(FindMetric(result, result.primary_metric())) {}

  v1::Verdict Conclude() {
    CheckValues();
    CheckClaimedTime();
    CheckCeilings();
    if (machine_.HasTelemetry()) CheckMachine(machine_, &evidence_);
    // A neighbour slows the steps down, and the clock, as well.
    if (!evidence_.HasAny("INTERFERED")) CheckSlowdown();
    CheckPageFaults();  // these make times unsteady,
    CheckSteadiness();  // and a drift widens the interval, too
    CheckSpread();
    for (const std::string& problem : SensorProblems(telemetry_)) evidence_.Unknown("sensor " + problem);
    return evidence_.Conclude(WhyUnchecked());
  }

 private:
  void CheckValues() {
    const auto bad = std::count_if(step_s_.begin(), step_s_.end(), [](double value) { return !IsStepTime(value); });
    if (bad > 0) {
      evidence_.Against(
          "IMPLAUSIBLE", "clock",
          std::to_string(bad) + " of " + std::to_string(step_s_.size()) +
              " step times are zero, negative or not a number: the clock that took them cannot be trusted");
    }
    if (primary_ != nullptr && !IsPrimaryPossible()) {
      evidence_.Against("IMPLAUSIBLE", "value",
                        primary_->name() + " is " + words::Number(primary_->value()) + ", which no run can reach");
    }
  }

  bool IsPrimaryPossible() const { return std::isfinite(primary_->value()) && primary_->value() > 0; }

  // What the runner says it measured for, against what the agent saw from outside.
  void CheckClaimedTime() {
    if (!telemetry_.has_measured_from_s() || !telemetry_.has_measured_until_s()) return;
    if (ClaimedTime_s() <= limits::kMostClaimedTime * SeenTime_s() + limits::kClaimedTimeSlack_s) return;
    evidence_.Against("IMPLAUSIBLE", "clock",
                      "the runner's step times add up to " + words::Number(ClaimedTime_s()) +
                          " s, and by the agent's clock its measured part took " + words::Number(SeenTime_s()) + " s");
  }
  double ClaimedTime_s() const { return result_.summary().measured_s() + result_.summary().warmup_found_s(); }
  double SeenTime_s() const { return telemetry_.measured_until_s() - telemetry_.measured_from_s(); }

  // Step times that are far less than the measured part may be a clock around calls that return before their work is
  // done, as those of a GPU do; or what came between the steps, and behind them in a runner that does not say "finish".
  std::string WhyUnchecked() const {
    const std::string why = machine_.WhyUnchecked();
    const bool is_less = result_.training_epochs().empty() && ClaimedTime_s() > 0 &&
                         ClaimedTime_s() < limits::kLeastClaimedTime * SeenTime_s() - limits::kUnclaimedTimeSlack_s;
    if (!why.empty() || !is_less) return why;
    return "the runner's step times add up to " + words::Number(ClaimedTime_s()) +
           " s, and what it did in the rest of the " + words::Number(SeenTime_s()) +
           " s that its measured part took it does not say";
  }

  void CheckCeiling(const v1::Ceiling& ceiling) {
    const std::optional<CeilingMetric> bounded = MetricOfCeiling(ceiling.resource());
    const v1::Metric* metric = bounded ? FindMetric(result_, bounded->name) : nullptr;
    if (metric == nullptr || !(ceiling.rate() > 0)) return;
    has_ceiling_ = true;
    if (!std::isfinite(metric->value()))
      return evidence_.Unknown(metric->name() + " is " + words::Number(metric->value()));
    const double ceiling_value = ceiling.rate() / bounded->scale, share = metric->value() / ceiling_value;
    const std::string words = words::Number(metric->value()) + " " + bounded->unit + " is " + words::Percent(share) +
                              " of the " + words::Number(ceiling_value) + " " + bounded->unit +
                              " that the agent saw this device reach";
    const bool is_own = result_.environment().runtime() == kOwnRuntime;
    if (share > limits::kMostOfCeiling && !is_own && share <= limits::kMostOfForeign) {
      evidence_.Unknown(words + ", which this runtime cannot measure anew: run libtorch on it");
    } else if (share > limits::kMostOfCeiling) {
      evidence_.Against("IMPLAUSIBLE", "ceiling", words + ": it cannot have been that fast");
    } else {
      evidence_.InOrder(words);
    }
  }

  void CheckCeilings() {
    for (const v1::Ceiling& ceiling : result_.ceilings()) CheckCeiling(ceiling);
    if (!has_ceiling_) evidence_.Unknown("no ceiling to compare with was measured for what this run does");
  }

  // A clock that fell while its device was as busy as before.
  void CheckClock(const telemetry::SeriesName& clock, const telemetry::SeriesName& busy,
                  const telemetry::SeriesName& temperature_name, const SeriesView& power_cap,
                  const std::string& device) {
    const SeriesPair pair = machine_.Of(clock, busy);
    const SeriesView temperature = machine_.Of(temperature_name);
    const std::optional<ClockDrop> drop = FindClockDrop(pair.first, pair.second);
    if (!drop) return;
    constexpr double kHot_c = 85, kOften = 0.2;
    const bool is_hot = !temperature.empty() && temperature.Max() >= kHot_c;
    const bool is_capped = !power_cap.empty() && power_cap.Mean() >= kOften;
    const bool is_slower = SpeedShare() < limits::kSlowdown;
    if (drop->share < limits::kClockDrop || !is_slower) return;
    evidence_.Against("THROTTLED",
                      is_hot      ? "heat"
                      : is_capped ? "power"
                                  : "clock",
                      "the " + device + "'s clock fell from " + words::Number(drop->from) + " to " +
                          words::Number(drop->to) + " MHz while it was as busy as before" +
                          (is_hot ? ", at " + words::Number(temperature.Max()) + " °C" : "") +
                          (is_capped ? ", at its power limit" : ""));
  }

  // Sustained against burst rate; 1 where that is not known.
  double SpeedShare() const {
    const v1::Steadiness& steadiness = result_.steadiness();
    return steadiness.has_burst_it_per_s() && steadiness.burst_it_per_s() > 0
               ? steadiness.sustained_it_per_s() / steadiness.burst_it_per_s()
               : 1;
  }

  void CheckSlowdown() {
    if (machine_.HasTelemetry()) CheckClocks();
    if (evidence_.HasAny("THROTTLED")) return;
    if (SpeedShare() >= limits::kSlowdown || !IsStep(step_s_)) return;
    const auto& changes = result_.steadiness().change_points();
    for (int i = 0; i < changes.size(); ++i) {
      const v1::ChangePoint& change = changes[i];
      const double slower_s = (1 + limits::kStepSlower) * change.before_s();
      // It lasted: what was slow for a moment and ends as fast as before is unsteady and not throttled.
      if (change.after_s() < slower_s || changes.rbegin()->after_s() < slower_s || FaultsAt(i)) continue;
      evidence_.Against("THROTTLED", "not seen",
                        LongerWords(change) + " from " + words::Number(change.at_s()) +
                            " s on, and no sensor says why; the whole ran at " + words::Percent(SpeedShare()) +
                            " of its best tenth");
      if (machine_.Of(telemetry::kWorkerPageFaults).empty())
        evidence_.Unknown("whether it had more page faults was not seen");
      if (!machine_.IsBusyOnCpu() && !machine_.Of(telemetry::kCpuClock).empty())
        evidence_.Unknown("whether the CPUs' clock is behind it: with less than half of them busy it goes as it likes");
      return;
    }
  }

  void CheckClocks() {
    CheckClock(telemetry::kGpuClock, telemetry::kGpuUtil, telemetry::kGpuTemperature,
               machine_.Of(telemetry::kGpuPowerCap), "GPU");
    if (!evidence_.HasAny("THROTTLED") && machine_.IsBusyOnCpu()) {
      CheckClock(telemetry::kCpuClock, telemetry::kWorkerCpu, telemetry::kCpuTemperature,
                 SeriesView(v1::Telemetry(), ""), "CPU");
    }
  }

  const std::optional<FaultCost>& FaultsAt(int change) const { return fault_costs_[static_cast<size_t>(change)]; }

  static std::string LongerWords(const v1::ChangePoint& change) {
    const double longer = change.after_s() / change.before_s() - 1;
    return "steps took " + words::Percent(std::abs(longer)) + (longer > 0 ? " longer" : " less");
  }

  // Says what they did where the speed changed most.
  void CheckPageFaults() {
    std::string words;
    double most = std::log1p(limits::kFaultStep);
    for (int i = 0; i < result_.steadiness().change_points_size(); ++i) {
      const v1::ChangePoint& change = result_.steadiness().change_points(i);
      const double size = std::abs(std::log(change.after_s() / change.before_s()));
      const std::optional<FaultCost>& faults = FaultsAt(i);
      if (!faults || size < most) continue;
      most = size;
      words = LongerWords(change) + " after " + words::Number(change.at_s()) + " s, with " +
              words::Number(std::abs(faults->more_per_step)) + " page faults " +
              (faults->more_per_step > 0 ? "more" : "fewer") + " in each, at " + words::Number(1e6 * faults->fault_s) +
              " us of kernel time";
    }
    if (!words.empty() && result_.environment().allocator() == "stock") {
      words += ": the allocator gives memory back and takes it anew (allocator=retain keeps it)";
    }
    if (!words.empty() && SpeedShare() < limits::kSlowdown) evidence_.Against("NOISY", "page faults", words);
  }

  void CheckSpread() {
    if (primary_ == nullptr) return;
    if (!primary_->has_ci_low() || !primary_->has_ci_high()) {
      const std::string count = primary_->has_n() ? ": " + std::to_string(primary_->n()) + " samples" : "";
      return evidence_.Unknown(primary_->name() + " has no 95 % interval" + count);
    }
    if (!(primary_->ci_high() >= primary_->ci_low()) || !std::isfinite(primary_->ci_high() - primary_->ci_low())) {
      return evidence_.Unknown("the 95 % interval of " + primary_->name() + " is none: from " +
                               words::Number(primary_->ci_low()) + " to " + words::Number(primary_->ci_high()));
    }
    if (!IsPrimaryPossible()) return;  // CheckValues has said so
    const double width = (primary_->ci_high() - primary_->ci_low()) / primary_->value();
    const std::string words = "the 95 % interval of " + primary_->name() + " is " + words::Percent(width) + " wide";
    if (width > limits::kWidestInterval) {
      evidence_.Against("NOISY", "spread", words);
    } else {
      evidence_.InOrder(words);
    }
  }

  void CheckSteadiness() {
    const double drift = result_.steadiness().drift();
    const bool has_drift = result_.steadiness().has_drift() && std::abs(drift) > limits::kMostDrift &&
                           TrendShare(step_s_) >= limits::kLeastTrend;
    if (has_drift && drift > 0) {
      evidence_.Against("NOISY", "drift",
                        "steps became slower and slower: " + words::Percent(drift) + " from the first to the last");
    } else if (has_drift) {
      evidence_.Against(
          "NOISY", "warm-up",
          "it was still warming up: steps became " + words::Percent(-drift) + " faster from the first to the last");
    } else if (!IsSteady()) {
      const double change = SlowerFrom(step_s_, step_s_.size() / 2);
      if (std::abs(change) <= limits::kMostBetweenHalves) return;
      evidence_.Against("NOISY", "not steady",
                        "step times did not settle within the first half of the run: those of the second are " +
                            words::Percent(std::abs(change)) + (change > 0 ? " longer" : " shorter"));
    }
  }

  // Of fewer samples noise alone looks as if it never settled once in 30 times.
  bool IsSteady() const {
    constexpr size_t kFewestToTell = 200;
    return !result_.summary().has_is_steady() || result_.summary().is_steady() || step_s_.size() < kFewestToTell;
  }

  const v1::Result& result_;
  const v1::Telemetry& telemetry_;
  const MachineView machine_;
  const std::vector<double> step_s_;
  const std::vector<std::optional<FaultCost>> fault_costs_;  // at each change point
  const v1::Metric* const primary_;                          // null where the runner sent none
  bool has_ceiling_ = false;
  Evidence evidence_;
};

}  // namespace

v1::Verdict Judge(const v1::Result& result) { return Judgement(result).Conclude(); }

}  // namespace fleetmark
