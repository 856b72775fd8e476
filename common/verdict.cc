#include "common/verdict.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/ceiling_metric.h"
#include "common/page_faults.h"
#include "common/run_evidence.h"
#include "common/slowdown.h"
#include "common/telemetry.h"
#include "common/telemetry_view.h"
#include "common/vocabulary.h"

namespace fleetmark {
namespace {

namespace limits = verdict_limits;

// "12.3", "0.0123": three digits that mean something.
std::string Text(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), std::abs(value) >= 1000 ? "%.0f" : "%.3g", value);
  return text;
}

std::string Percent(double share) { return Text(100 * share) + " %"; }

struct Finding {
  const char* kind;
  const char* cause;
  std::string sentence;
};

// One judgement: gathers what speaks against the result, what was looked at, and what could not be.
class Judgement {
 public:
  explicit Judgement(const v1::Result& result)
      : result_(result),
        telemetry_(result.telemetry()),
        step_s_(StepTimes(result)),
        fault_costs_(PageFaultsBehindChanges(result)),
        primary_(FindMetric(result, result.primary_metric())) {
    for (const auto& series : {telemetry::kCpu, telemetry::kOtherCpu, telemetry::kGpuUtil}) {
      has_telemetry_ = has_telemetry_ || View(series).size() >= limits::kFewestPoints;
    }
  }

  v1::Verdict Conclude() {
    CheckValues();
    CheckClaimedTime();
    CheckCeilings();
    if (has_telemetry_) {
      CheckGpuThrottles();
      CheckCpuThrottles();
      CheckOtherProcesses();
      CheckHypervisor();
      CheckGpuNeighbours();
    }
    // A neighbour slows the steps down, and the clock, as well.
    if (!HasAny("INTERFERED")) CheckSlowdown();
    CheckPageFaults();  // these make times unsteady,
    CheckSteadiness();  // and a drift widens the interval, too
    CheckSpread();
    return Verdict();
  }

 private:
  void Against(const char* kind, const char* cause, std::string sentence) {
    findings_.push_back({kind, cause, std::move(sentence)});
  }
  bool HasAny(const std::string& kind) const {
    return std::any_of(findings_.begin(), findings_.end(),
                       [&](const Finding& finding) { return finding.kind == kind; });
  }
  SeriesView View(const telemetry::SeriesName& series) const { return {telemetry_, series.name}; }
  // Of the whole machine, which others have too, and not of the CPUs that the worker may run on.
  double Capacity() const {
    const std::string one_cpu = std::string(telemetry::kCpu.name) + ".";
    const auto cpus =
        std::count_if(telemetry_.series().begin(), telemetry_.series().end(),
                      [&](const v1::TelemetrySeries& series) { return series.name().starts_with(one_cpu); });
    return 100.0 *
           std::max<double>({1.0, static_cast<double>(cpus), static_cast<double>(result_.environment().cpu_count())});
  }
  // Whether the CPUs do the run's work: those of a run on a GPU, or with few threads, idle and clock as they like.
  bool IsBusyOnCpu() const {
    const SeriesView worker = View(telemetry::kWorkerCpu);
    return View(telemetry::kGpuUtil).empty() && !worker.empty() && worker.Mean() >= limits::kBusyMachine * Capacity();
  }

  void CheckValues() {
    const auto bad =
        std::count_if(step_s_.begin(), step_s_.end(), [](double value) { return !std::isfinite(value) || value <= 0; });
    if (bad > 0) {
      Against("IMPLAUSIBLE", "clock",
              std::to_string(bad) + " of " + std::to_string(step_s_.size()) +
                  " step times are zero, negative or not a number: the clock that took them cannot be trusted");
    }
    if (primary_ != nullptr && (!std::isfinite(primary_->value()) || primary_->value() <= 0)) {
      Against("IMPLAUSIBLE", "value", primary_->name() + " is " + Text(primary_->value()) + ", which no run can reach");
    }
  }

  // What the runner says it measured for, against what the agent saw from outside.
  void CheckClaimedTime() {
    if (!telemetry_.has_measured_from_s() || !telemetry_.has_measured_until_s()) return;
    const double claimed = result_.summary().measured_s() + result_.summary().warmup_found_s();
    const double seen = telemetry_.measured_until_s() - telemetry_.measured_from_s();
    if (claimed <= limits::kMostClaimedTime * seen + limits::kClaimedTimeSlack_s) return;
    Against("IMPLAUSIBLE", "clock",
            "the runner's step times add up to " + Text(claimed) +
                " s, and by the agent's clock its measured part took " + Text(seen) + " s");
  }

  void CheckCeiling(const v1::Ceiling& ceiling) {
    const std::optional<CeilingMetric> bounded = MetricOfCeiling(ceiling.resource());
    const v1::Metric* metric = bounded ? FindMetric(result_, bounded->name) : nullptr;
    if (metric == nullptr || ceiling.rate() <= 0) return;
    const double ceiling_value = ceiling.rate() / bounded->scale, share = metric->value() / ceiling_value;
    const std::string words = Text(metric->value()) + " " + bounded->unit + " is " + Percent(share) + " of the " +
                              Text(ceiling_value) + " " + bounded->unit + " that the agent saw this device reach";
    if (share > limits::kMostOfCeiling && result_.environment().runtime() != kOwnRuntime) {
      unknown_.push_back(words + ", which this runtime cannot measure anew: run libtorch on it");
    } else if (share > limits::kMostOfCeiling) {
      Against("IMPLAUSIBLE", "ceiling", words + ": it cannot have been that fast");
    } else {
      in_order_.push_back(words);
    }
    has_ceiling_ = true;
  }

  void CheckCeilings() {
    for (const v1::Ceiling& ceiling : result_.ceilings()) CheckCeiling(ceiling);
    if (!has_ceiling_) unknown_.push_back("no ceiling to compare with was measured for what this run does");
  }

  void CheckGpuThrottles() {
    const SeriesView heat = View(telemetry::kGpuHeatThrottle), brake = View(telemetry::kGpuPowerBrake);
    if (!heat.empty() && heat.Mean() >= limits::kThrottledShare) {
      const SeriesView temperature = View(telemetry::kGpuTemperature);
      Against("THROTTLED", "heat",
              "the GPU slowed itself down because of heat during " + Percent(heat.Mean()) + " of the measured part" +
                  (temperature.empty() ? "" : ", at up to " + Text(temperature.Max()) + " °C"));
    }
    if (!brake.empty() && brake.Mean() >= limits::kThrottledShare) {
      Against("THROTTLED", "power",
              "the GPU's power brake was on during " + Percent(brake.Mean()) +
                  " of the measured part: its supply does not give what it needs");
    }
    CheckClock(telemetry::kGpuClock, telemetry::kGpuUtil, telemetry::kGpuTemperature, View(telemetry::kGpuPowerCap),
               "GPU");
    if (!heat.empty()) in_order_.push_back("the GPU says that it did not slow itself down");
  }

  void CheckCpuThrottles() {
    const SeriesView events = View(telemetry::kCpuHeatThrottles), quota = View(telemetry::kQuota);
    if (IsBusyOnCpu() && !events.empty() && events.Mean() >= limits::kHeatEventsPerS) {
      Against("THROTTLED", "heat",
              "the CPU slowed itself down because of heat: its kernel counted " + Text(events.Mean()) +
                  " throttle events a second");
    }
    if (!quota.empty() && quota.Mean() >= limits::kQuotaPercent) {
      Against("THROTTLED", "quota",
              "a CPU quota of its control group held the worker back during " + Text(quota.Mean()) +
                  " % of the measured part");
    }
  }

  // A clock that fell while its device was as busy as before.
  void CheckClock(const telemetry::SeriesName& clock, const telemetry::SeriesName& busy,
                  const telemetry::SeriesName& temperature_name, const SeriesView& power_cap,
                  const std::string& device) {
    const SeriesPair pair(telemetry_, clock.name, busy.name);
    const SeriesView temperature = View(temperature_name);
    const std::optional<ClockDrop> drop = FindClockDrop(pair.first, pair.second);
    if (!drop) return;
    constexpr double kHot_c = 85, kOften = 0.2;
    const bool is_hot = !temperature.empty() && temperature.Max() >= kHot_c;
    const bool is_capped = !power_cap.empty() && power_cap.Mean() >= kOften;
    const bool is_slower = SpeedShare() < limits::kSlowdown;
    if (drop->share < limits::kClockDrop || !is_slower) return;
    Against("THROTTLED",
            is_hot      ? "heat"
            : is_capped ? "power"
                        : "clock",
            "the " + device + "'s clock fell from " + Text(drop->from) + " to " + Text(drop->to) +
                " MHz while it was as busy as before" + (is_hot ? ", at " + Text(temperature.Max()) + " °C" : "") +
                (is_capped ? ", at its power limit" : ""));
  }

  void CheckOtherProcesses() {
    const SeriesView others = View(telemetry::kOtherCpu), worker = View(telemetry::kWorkerCpu);
    if (others.empty()) return unknown_.push_back("what other processes did was not seen");
    const double busy = others.Mean() + (worker.empty() ? 0 : worker.Mean());
    const double limit = busy >= limits::kFullMachine * Capacity()
                             ? std::max(limits::kOthersWhenFull, limits::kOthersOfFullMachine * Capacity())
                             : std::max(limits::kOthersOnCpu, limits::kOthersOfMachine * Capacity());
    const std::string used = "other processes used " + Text(others.Mean()) + " % of a CPU on average";
    if (others.Mean() >= limit) {
      Against("INTERFERED", "other processes", used + ", of " + Text(Capacity() / 100) + " CPUs");
    } else if (const double level = std::max(limit, limits::kOthersOnCpu);
               others.ShareFrom(level) >= limits::kOthersForAWhile) {
      Against("INTERFERED", "other processes",
              "other processes used " + Text(level) + " % of a CPU and more during " +
                  Percent(others.ShareFrom(level)) + " of the measured part");
    } else {
      in_order_.push_back(used);
    }
  }

  void CheckHypervisor() {
    const SeriesView steal = View(telemetry::kSteal), worker = View(telemetry::kWorkerCpu);
    if (steal.empty() || worker.empty()) return;
    const double share = steal.Mean() / std::max(worker.Mean(), 1.0);
    if (share < limits::kStealOfWorker) return;
    Against("INTERFERED", "hypervisor",
            "the hypervisor gave other machines CPU time that is " + Percent(share) + " of what the worker got");
  }

  void CheckGpuNeighbours() {
    const SeriesView others = View(telemetry::kGpuOtherUtil);
    if (others.empty()) return;
    const std::string used = "other processes kept the GPU busy for " + Text(others.Mean()) + " % of the measured part";
    if (others.Mean() >= limits::kOthersOnGpu) {
      Against("INTERFERED", "GPU shared", used);
    } else {
      in_order_.push_back(used);
    }
  }

  // Sustained against burst rate; 1 where that is not known.
  double SpeedShare() const {
    const v1::Steadiness& steadiness = result_.steadiness();
    return steadiness.has_burst_it_per_s() && steadiness.burst_it_per_s() > 0
               ? steadiness.sustained_it_per_s() / steadiness.burst_it_per_s()
               : 1;
  }

  void CheckSlowdown() {
    if (HasAny("THROTTLED")) return;
    if (has_telemetry_ && IsBusyOnCpu()) {
      CheckClock(telemetry::kCpuClock, telemetry::kWorkerCpu, telemetry::kCpuTemperature,
                 SeriesView(v1::Telemetry(), ""), "CPU");
      if (HasAny("THROTTLED")) return;
    }
    if (SpeedShare() >= limits::kSlowdown || !IsStep(step_s_)) return;
    const auto& changes = result_.steadiness().change_points();
    for (int i = 0; i < changes.size(); ++i) {
      const v1::ChangePoint& change = changes[i];
      const double slower_s = (1 + limits::kStepSlower) * change.before_s();
      // It lasted: what was slow for a moment and ends as fast as before is unsteady and not throttled.
      if (change.after_s() < slower_s || changes.rbegin()->after_s() < slower_s || FaultsAt(i)) continue;
      Against("THROTTLED", "not seen",
              LongerWords(change) + " from " + Text(change.at_s()) +
                  " s on, and no sensor says why; the whole ran at " + Percent(SpeedShare()) + " of its best tenth");
      if (View(telemetry::kWorkerPageFaults).empty())
        unknown_.push_back("whether it had more page faults was not seen");
      return;
    }
  }

  const std::optional<FaultCost>& FaultsAt(int change) const { return fault_costs_[static_cast<size_t>(change)]; }

  static std::string LongerWords(const v1::ChangePoint& change) {
    const double longer = change.after_s() / change.before_s() - 1;
    return "steps took " + Percent(std::abs(longer)) + (longer > 0 ? " longer" : " less");
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
      words = LongerWords(change) + " after " + Text(change.at_s()) + " s, with " +
              Text(std::abs(faults->more_per_step)) + " page faults " + (faults->more_per_step > 0 ? "more" : "fewer") +
              " in each, at " + Text(1e6 * faults->fault_s) + " us of kernel time";
    }
    if (!words.empty() && result_.environment().allocator() == "stock") {
      words += ": the allocator gives memory back and takes it anew (allocator=retain keeps it)";
    }
    if (!words.empty() && SpeedShare() < limits::kSlowdown) Against("NOISY", "page faults", words);
  }

  void CheckSpread() {
    if (primary_ == nullptr) return;
    if (!primary_->has_ci_low() || !primary_->has_ci_high()) {
      const std::string count = primary_->has_n() ? ": " + std::to_string(primary_->n()) + " samples" : "";
      return unknown_.push_back(primary_->name() + " has no 95 % interval" + count);
    }
    const double width = (primary_->ci_high() - primary_->ci_low()) / primary_->value();
    const std::string words = "the 95 % interval of " + primary_->name() + " is " + Percent(width) + " wide";
    if (width > limits::kWidestInterval) {
      Against("NOISY", "spread", words);
    } else {
      in_order_.push_back(words);
    }
  }

  void CheckSteadiness() {
    const double drift = result_.steadiness().drift();
    const bool has_drift = result_.steadiness().has_drift() && std::abs(drift) > limits::kMostDrift &&
                           TrendShare(step_s_) >= limits::kLeastTrend;
    if (has_drift && drift > 0) {
      Against("NOISY", "drift", "steps became slower and slower: " + Percent(drift) + " from the first to the last");
    } else if (has_drift) {
      Against("NOISY", "warm-up",
              "it was still warming up: steps became " + Percent(-drift) + " faster from the first to the last");
    } else if (!IsSteady()) {
      const double change = SlowerFrom(step_s_, step_s_.size() / 2);
      if (std::abs(change) <= limits::kMostBetweenHalves) return;
      Against("NOISY", "not steady",
              "step times did not settle within the first half of the run: those of the second are " +
                  Percent(std::abs(change)) + (change > 0 ? " longer" : " shorter"));
    }
  }

  // Of fewer samples noise alone looks as if it never settled once in 30 times.
  bool IsSteady() const {
    constexpr size_t kFewestToTell = 200;
    return !result_.summary().has_is_steady() || result_.summary().is_steady() || step_s_.size() < kFewestToTell;
  }

  v1::Verdict Verdict() {
    const auto gravity = [](const Finding& finding) {
      return std::find(kVerdictsByGravity.begin(), kVerdictsByGravity.end(), finding.kind);
    };
    std::stable_sort(findings_.begin(), findings_.end(),
                     [&](const Finding& a, const Finding& b) { return gravity(a) < gravity(b); });
    v1::Verdict verdict;
    verdict.set_kind(findings_.empty() ? (has_telemetry_ ? "OK" : "UNCHECKED") : findings_.front().kind);
    if (!findings_.empty()) verdict.set_cause(findings_.front().cause);
    for (const std::string& problem : SensorProblems(telemetry_)) unknown_.push_back("sensor " + problem);
    for (const Finding& finding : findings_) verdict.add_evidence(finding.sentence);
    if (!has_telemetry_) {
      verdict.add_evidence(telemetry_.at_s_size() == 0 ? "not known: there is no telemetry of this run"
                                                       : "not known: the measured part has too little telemetry");
    }
    for (const std::string& sentence : in_order_) verdict.add_evidence("in order: " + sentence);
    for (const std::string& sentence : unknown_) verdict.add_evidence("not known: " + sentence);
    return verdict;
  }

  const v1::Result& result_;
  const v1::Telemetry& telemetry_;
  const std::vector<double> step_s_;
  const std::vector<std::optional<FaultCost>> fault_costs_;  // at each change point
  const v1::Metric* const primary_;                          // null where the runner sent none
  bool has_telemetry_ = false;
  bool has_ceiling_ = false;
  std::vector<Finding> findings_;
  std::vector<std::string> in_order_, unknown_;
};

}  // namespace

v1::Verdict Judge(const v1::Result& result) { return Judgement(result).Conclude(); }

}  // namespace fleetmark
