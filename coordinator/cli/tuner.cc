#include "coordinator/cli/tuner.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "common/time_text.h"
#include "common/vocabulary.h"
#include "coordinator/cli/client.h"
#include "coordinator/cli/console.h"
#include "coordinator/cli/render/number.h"
#include "coordinator/cli/render/text.h"
#include "coordinator/cli/run_watcher.h"
#include "coordinator/cli/submission.h"

namespace fleetmark {
namespace {

constexpr char kStepTime[] = "step_s";
constexpr char kPilotDurationS[] = "1";
// How much of a run is measured, within what the budget allows.
constexpr double kLeastMeasuredS = 0.5, kMostMeasuredS = 5;
constexpr double kFewestSteps = 3, kMostSteps = 100'000;
// A budget should have room for about so many rounds of the first stage: its three, a second stage, the last rounds.
constexpr double kRoundsWanted = 7;
// A candidate that takes this many times what stock does is given up.
constexpr double kMostSlowdown = 10;
constexpr double kLeastLimitS = 60;
// How much more than the least is advised where a budget was too short.
constexpr double kBudgetMargin = 1.2;

double NowS() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

const v1::Metric* FindMetric(const v1::Result& result, const std::string& name) {
  for (const v1::Metric& metric : result.metrics()) {
    if (metric.name() == name && std::isfinite(metric.value()) && metric.value() > 0) return &metric;
  }
  return nullptr;
}

double TookS(const v1::RunInfo& run) { return std::max(run.finished_unix_s() - run.started_unix_s(), 0.0); }

// What was found, in one sentence.
std::string SummaryOf(const TuneSearch::Outcome& found, const TuneTable& table) {
  const std::string than_stock = FormatFixed(found.stock_gain, 2) + " times stock's speed";
  if (!found.is_own) {
    return "nothing beats the workload's own tuned settings by more than noise: they stay, " + than_stock;
  }
  const std::string kept = table.name(found.kept) + " is kept: ";
  if (!table.IsIn(table.baseline())) return kept + "the workload's own do not work here; " + than_stock;
  return kept + FormatFixed(found.gain, 2) +
         " times the speed of the workload's own tuned settings in the last rounds, " + than_stock;
}

}  // namespace

Tuner::Tuner(Session& session, const TuneTarget& target)
    : session_(session),
      target_(target),
      space_(MakeTuneSpace(*target.placement.workload, target.device.kind(), target.agent.host())),
      interrupted_(session.signals),
      started_s_(NowS()) {}

StatusOr<v1::TuneOutcome> Tuner::Tune(const TuneBudget& budget) {
  if (space_.Neighbours(space_.tuned).empty()) {
    return FailedPrecondition("workload " + target_.placement.workload->name() + " by " + target_.placement.runtime +
                              " has nothing to tune");
  }
  FLEETMARK_RETURN_IF_ERROR(Pilot(budget.share_s));
  TuneSearch search(space_, run_s_);
  if (search.LeastS() > budget.share_s - ElapsedS()) return TooShort(budget, search);
  Say(std::to_string(search.RoundSize()) + " candidates a round, about " + FormatDuration(run_s_) + " each; at most " +
      FormatDuration(budget.share_s));
  FLEETMARK_RETURN_IF_ERROR(Search(&search, budget.share_s));
  return OutcomeOf(search);
}

Status Tuner::TooShort(const TuneBudget& budget, const TuneSearch& search) const {
  const bool is_shared = budget.boards > 1;
  const double wanted_s = kBudgetMargin * (search.LeastS() + ElapsedS()) * budget.boards;
  return InvalidArgument("the budget of " + FormatDuration(budget.whole_s) + " is too short" +
                             (is_shared ? " for " + std::to_string(budget.boards) + " boards" : "") +
                             ": one round of " + std::to_string(search.RoundSize()) + " candidates takes " +
                             FormatDuration(search.RoundS()) + " on " + target_.agent.name() + ", and a result " +
                             FormatDuration(search.LeastS()) + (is_shared ? " for each board" : ""),
                         "give --budget " + std::to_string(std::lround(std::ceil(wanted_s))) + "s or more, " +
                             (is_shared ? "fewer boards or " : "or ") + "a smaller workload",
                         "budget_too_short");
}

Status Tuner::Pilot(double budget_s) {
  const bool has_steps = Parameter("steps") != nullptr;
  if (has_steps) fixed_ = {{"duration_s", "0"}, {"until_ci", "0"}};
  std::erase_if(fixed_, [this](const auto& entry) { return Parameter(entry.first) == nullptr; });
  v1::SubmitRequest request = BaseRequest();
  if (has_steps && !IsSet("steps")) (*request.mutable_parameters())["duration_s"] = kPilotDurationS;
  FLEETMARK_ASSIGN_OR_RETURN(const std::vector<v1::RunInfo> runs, RunAll({request}, budget_s));
  const v1::RunInfo& run = runs.front();
  if (run.state() != "succeeded") {
    return FailedPrecondition(
        "stock itself " + run.state() + " on " + target_.agent.name() + ": " + run.failure().message(),
        run.failure().hint(), kRunFailedKind);
  }
  FLEETMARK_RETURN_IF_ERROR(ChooseMetric(run.result()));
  run_s_ = std::max(TookS(run), 1e-3);
  if (has_steps && !IsSet("steps")) ChooseSteps(run, budget_s);
  run_limit_s_ = std::max(kMostSlowdown * run_s_, kLeastLimitS);
  return OkStatus();
}

Status Tuner::ChooseMetric(const v1::Result& result) {
  for (const std::string& name : {std::string(kStepTime), result.primary_metric()}) {
    const v1::Metric* metric = FindMetric(result, name);
    if (metric == nullptr) continue;
    metric_ = name;
    unit_ = metric->unit();
    for (const v1::MetricSpec& spec : target_.placement.workload->metrics()) {
      if (spec.name() == name) is_more_better_ = spec.better() == "more";
    }
    return OkStatus();
  }
  return FailedPrecondition("a run of stock has neither " + std::string(kStepTime) + " nor " + result.primary_metric() +
                            ", so nothing tells how fast it was");
}

void Tuner::ChooseSteps(const v1::RunInfo& pilot, double budget_s) {
  const v1::WorkerResult& summary = pilot.result().summary();
  if (summary.steps() <= 0 || !(summary.measured_s() > 0)) return;
  const double step_s = summary.measured_s() / summary.steps();
  const double other_s = std::max(run_s_ - summary.measured_s(), 0.0);
  const double runs = kRoundsWanted * static_cast<double>(space_.Neighbours(space_.tuned).size() + 2);
  const double measured_s = std::clamp(budget_s / runs - other_s, kLeastMeasuredS, kMostMeasuredS);
  const double steps = std::clamp(std::round(measured_s / step_s), kFewestSteps, kMostSteps);
  fixed_["steps"] = std::to_string(std::lround(steps));
  run_s_ = other_s + steps * step_s;
}

Status Tuner::Search(TuneSearch* search, double budget_s) {
  for (int round = 1;; ++round) {
    const std::vector<TuneTrial> trials = search->NextRound(budget_s - ElapsedS());
    if (trials.empty()) return OkStatus();
    std::vector<v1::SubmitRequest> requests;
    for (const TuneTrial& trial : trials) requests.push_back(RequestOf(trial));
    const double limit_s = std::max(budget_s - ElapsedS(), 0.0) + kMostSlowdown * search->RoundS() + kLeastLimitS;
    FLEETMARK_ASSIGN_OR_RETURN(const std::vector<v1::RunInfo> runs, RunAll(requests, limit_s));
    std::vector<TuneMeasurement> measurements;
    double took_s = 0;
    for (const v1::RunInfo& run : runs) {
      measurements.push_back(MeasurementOf(run));
      took_s += TookS(run);
    }
    FLEETMARK_RETURN_IF_ERROR(search->Take(measurements, took_s));
    const bool is_of_seeds = trials.front().seed_offset != 0;
    Say("round " + std::to_string(round) + ": " +
        (is_of_seeds          ? "stock with other seeds, for the spread of its loss"
         : search->is_final() ? "the best against the workload's own"
                              : std::to_string(trials.size()) + " candidates") +
        ", " + FormatDuration(ElapsedS()) + " so far");
  }
}

v1::TuneOutcome Tuner::OutcomeOf(const TuneSearch& search) const {
  const TuneSearch::Outcome found = search.Conclude();
  v1::TuneOutcome outcome;
  v1::TunedProfile& profile = *outcome.mutable_profile();
  profile.set_agent(target_.agent.name());
  profile.set_device(target_.device.name());
  profile.set_runtime(target_.placement.runtime);
  profile.set_workload(target_.placement.workload->name());
  for (const v1::ParameterSpec& spec : target_.placement.workload->parameters()) {
    if (spec.defines_board() && IsSet(spec.name())) {
      (*profile.mutable_parameters())[spec.name()] = target_.placement.parameters.at(spec.name());
    }
  }
  profile.set_metric(metric_);
  profile.set_unit(unit_);
  const TuneTable& table = search.table();
  if (found.is_own) {
    const TuneSettings& settings = table.settings(found.kept);
    *profile.mutable_settings() = {settings.begin(), settings.end()};
  }
  for (v1::TunedCandidate& row : table.Rows(found.kept)) *profile.add_tried() = std::move(row);
  outcome.set_is_own(found.is_own);
  outcome.set_summary(SummaryOf(found, table));
  outcome.set_compares_losses(table.has_loss());
  outcome.set_took_s(ElapsedS());
  outcome.set_runs(runs_);
  return outcome;
}

v1::SubmitRequest Tuner::BaseRequest() const {
  v1::SubmitRequest request;
  request.set_workload(target_.placement.workload->name());
  request.set_runtime(target_.placement.runtime);
  request.set_device(target_.device.name());
  request.add_on(target_.agent.name());
  request.set_profile(kStockProfile);
  request.set_unranked(true);
  request.set_timeout_s(run_limit_s_);
  request.set_note("fleetmark tune");
  request.mutable_parameters()->insert(target_.placement.parameters.begin(), target_.placement.parameters.end());
  request.mutable_parameters()->insert(fixed_.begin(), fixed_.end());
  return request;
}

v1::SubmitRequest Tuner::RequestOf(const TuneTrial& trial) const {
  v1::SubmitRequest request = BaseRequest();
  auto& parameters = *request.mutable_parameters();
  if (!trial.is_stock) {
    request.set_profile(kTunedProfile);
    parameters.insert(trial.settings.begin(), trial.settings.end());  // all of them, so no profile has a say
  }
  if (trial.seed_offset == 0) return request;
  const v1::ParameterSpec& seed = *Parameter(kSeed);  // without one the search asks for no other
  parameters[kSeed] = OtherSeed(seed, IsSet(kSeed) ? parameters.at(kSeed) : seed.default_value(), trial.seed_offset);
  return request;
}

TuneMeasurement Tuner::MeasurementOf(const v1::RunInfo& run) const {
  TuneMeasurement measurement;
  if (run.state() != "succeeded") {
    measurement.failure = run.state() + ": " + run.failure().message();
    return measurement;
  }
  const v1::Metric* metric = FindMetric(run.result(), metric_);
  if (metric == nullptr) {
    measurement.failure = "it has no " + metric_;
    return measurement;
  }
  measurement.value = metric->value();
  measurement.speed = is_more_better_ ? metric->value() : 1 / metric->value();
  for (const v1::Metric& other : run.result().metrics()) {
    if (other.name() == "loss") measurement.loss = other.value();
  }
  return measurement;
}

StatusOr<std::vector<v1::RunInfo>> Tuner::RunAll(const std::vector<v1::SubmitRequest>& requests, double limit_s) {
  interrupted_.Arm();
  WatchRequest watch = {{}, limit_s, true, &interrupted_.is_set()};
  for (const v1::SubmitRequest& request : requests) {
    const StatusOr<v1::SubmitResponse> response = SubmitJob(session_, request);
    if (!response.ok()) return TakeBack(watch.ids, response.status());
    watch.ids.push_back(response->job_id());
    ++runs_;
  }
  StatusOr<std::vector<v1::RunInfo>> runs = WatchRuns(session_, watch, ProgressMode::kNone);
  if (!runs.ok()) return TakeBack(watch.ids, runs.status());
  std::vector<v1::RunInfo> ordered;
  for (const std::string& id : watch.ids) {
    const auto run = std::find_if(runs->begin(), runs->end(), [&](const auto& one) { return one.job_id() == id; });
    if (run == runs->end())
      return TakeBack(watch.ids, Internal("the coordinator does not tell how job " + id + " ended"));
    ordered.push_back(std::move(*run));
  }
  return ordered;
}

Status Tuner::TakeBack(const std::vector<std::string>& ids, const Status& why) {
  std::string left;
  if (!ids.empty()) {
    v1::CancelRequest cancel;
    for (const std::string& id : ids) cancel.add_ids(id);
    cancel.set_reason("the search for the fastest settings was ended");
    const bool is_cancelled = session_.client.Call(&Client::Stub::Cancel, cancel).ok();
    left = is_cancelled ? "; its runs were cancelled" : "; its runs could not be cancelled";
  }
  if (why.kind() == kInterruptedKind) return Status(why.code(), "interrupted" + left, "", why.kind());
  if (why.kind() == kWaitTimeoutKind) {
    return Status(why.code(), "the runs did not end in time" + left,
                  "does " + target_.agent.name() + " have other work? See fleetmark runs --state queued", why.kind());
  }
  return Status(why.code(), why.message() + left, why.hint(), why.kind());
}

const v1::ParameterSpec* Tuner::Parameter(const std::string& name) const {
  for (const v1::ParameterSpec& spec : target_.placement.workload->parameters()) {
    if (spec.name() == name) return &spec;
  }
  return nullptr;
}

void Tuner::Say(const std::string& text) {
  if (!session_.console.json()) session_.console.out() << Printable(text) << std::endl;
}

double Tuner::ElapsedS() const { return NowS() - started_s_; }

}  // namespace fleetmark
