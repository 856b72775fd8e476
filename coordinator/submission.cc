#include "coordinator/submission.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "common/ids.h"
#include "common/run_spec.h"
#include "common/suggest.h"
#include "common/vocabulary.h"
#include "coordinator/run_state.h"
#include "coordinator/targets.h"

namespace fleetmark {
namespace {

constexpr int kMostRepetitions = 10'000;
constexpr int kMostRuns = 100'000;
constexpr int kMostRetries = 100;
constexpr double kMostTimeoutS = 30 * 86'400.0;

struct Target {
  const Agent* agent = nullptr;  // nullptr: any
  Placement placement;
};

Status CheckNumbersAndWords(const v1::SubmitRequest& request) {
  const auto between = [](const std::string& name, double value, double most) {
    if (value >= 0 && value <= most) return OkStatus();
    return InvalidArgument(name + " must be from 0 to " + std::to_string(static_cast<int64_t>(most)), "",
                           "bad_parameter");
  };
  FLEETMARK_RETURN_IF_ERROR(between("--repeat", request.repeat(), kMostRepetitions));
  FLEETMARK_RETURN_IF_ERROR(between("--retries", request.retries(), kMostRetries));
  FLEETMARK_RETURN_IF_ERROR(between("--timeout", request.timeout_s(), kMostTimeoutS));
  FLEETMARK_RETURN_IF_ERROR(CheckWord("profile", request.profile(), kProfiles));
  return CheckWord("telemetry mode", request.telemetry(), kTelemetryModes);
}

std::vector<const Agent*> Joined(const CoreState& state) {
  std::vector<const Agent*> agents;
  for (const auto& [id, agent] : state.agents) {
    if (!agent->record.removed) agents.push_back(agent.get());
  }
  std::sort(agents.begin(), agents.end(), [](const Agent* a, const Agent* b) { return a->name() < b->name(); });
  return agents;
}

Status CheckLabels(const std::vector<const Agent*>& agents, const std::map<std::string, std::string>& labels) {
  if (labels.empty()) return OkStatus();
  std::set<std::string> known;
  for (const Agent* agent : agents) {
    for (const auto& [key, value] : agent->record.description.labels()) known.insert(key + "=" + value);
  }
  for (const auto& [key, value] : labels) {
    const std::string label = key + "=" + value;
    if (known.contains(label)) continue;
    std::string hint = SuggestFrom(label, {known.begin(), known.end()});
    if (known.empty()) hint = "give an agent labels with fleetmark-agent serve --label KEY=VALUE";
    return NotFound("no agent has the label " + label, hint, "unknown_label");
  }
  return OkStatus();
}

// Which of several refusals to show: the one that got farthest says most about the request.
int Depth(const Status& status) {
  static const std::vector<std::string> order = {"unknown_runtime", "runtime_unavailable", "unknown_workload",
                                                 "bad_parameter",   "unknown_device",      kTooOld};
  return static_cast<int>(std::find(order.begin(), order.end(), status.kind()) - order.begin());
}

// Those of `agents` that can run it; when there is none, why. Adds to `left_out` a sentence for each that is too old.
StatusOr<std::vector<Target>> Capable(const std::vector<const Agent*>& agents, const v1::SubmitRequest& request,
                                      std::vector<std::string>* left_out) {
  std::vector<Target> targets;
  Status refusal;
  for (const Agent* agent : agents) {
    StatusOr<std::vector<Placement>> placements = PlaceOnEach(agent->machine(), request, left_out);
    if (!placements.ok()) {
      if (refusal.ok() || Depth(placements.status()) > Depth(refusal)) refusal = placements.status();
      if (placements.status().kind() == kTooOld) left_out->push_back(placements.status().message());
      continue;
    }
    for (Placement& placement : *placements) targets.push_back({agent, std::move(placement)});
  }
  if (targets.empty()) return refusal;
  return targets;
}

Status NoSuchAgent(const std::vector<const Agent*>& agents, const std::string& name) {
  std::vector<std::string> names;
  for (const Agent* agent : agents) names.push_back(agent->name());
  names.insert(names.end(), {"all", "any"});
  return NotFound("there is no agent \"" + name + "\"", SuggestFrom(name, names), "unknown_agent");
}

// The words of `on`: names, or one of "all" and "any"; labels narrow either.
StatusOr<std::vector<Target>> ChooseTargets(const CoreState& state, const v1::SubmitRequest& request,
                                            std::vector<std::string>* left_out) {
  const std::vector<const Agent*> agents = Joined(state);
  if (agents.empty()) {
    return FailedPrecondition("no agent has joined this coordinator yet",
                              "start one with fleetmark-agent serve --coordinator ADDRESS", "no_agents");
  }
  const std::map<std::string, std::string> labels = LabelsOf(request.on());
  FLEETMARK_RETURN_IF_ERROR(CheckLabels(agents, labels));
  std::vector<const Agent*> named;
  bool is_all = !labels.empty();
  bool is_any = request.on().empty();
  for (const std::string& word : request.on()) {
    if (word.find('=') != std::string::npos) continue;
    if (word == "all") is_all = true;
    if (word == "any") is_any = true;
    if (word == "all" || word == "any") continue;
    const auto found = std::find_if(agents.begin(), agents.end(), [&](const Agent* a) { return a->name() == word; });
    if (found == agents.end()) return NoSuchAgent(agents, word);
    if (!MatchesLabels((*found)->record.description, labels)) {
      return InvalidArgument("agent " + word + " does not have the labels that were asked for");
    }
    if (std::find(named.begin(), named.end(), *found) == named.end()) named.push_back(*found);
  }
  if (!named.empty() && std::count(request.on().begin(), request.on().end(), "all") > 0) {
    return InvalidArgument("\"all\" cannot stand beside names", "choose one of them with --on");
  }
  if (is_any && (!named.empty() || std::count(request.on().begin(), request.on().end(), "all") > 0)) {
    return InvalidArgument("\"any\" cannot stand beside names or \"all\"", "choose one of them with --on");
  }
  if (!named.empty()) {
    std::vector<Target> targets;
    for (const Agent* agent : named) {
      FLEETMARK_ASSIGN_OR_RETURN(std::vector<Placement> placements, PlaceOnEach(agent->machine(), request, left_out));
      for (Placement& placement : placements) targets.push_back({agent, std::move(placement)});
    }
    return targets;
  }
  std::vector<const Agent*> matching;
  for (const Agent* agent : agents) {
    if (MatchesLabels(agent->record.description, labels)) matching.push_back(agent);
  }
  if (matching.empty()) return NotFound("no agent has all of these labels together", "", "unknown_label");
  FLEETMARK_ASSIGN_OR_RETURN(std::vector<Target> targets, Capable(matching, request, left_out));
  if (is_all && !is_any) return targets;
  if (request.device() == "all") {
    return InvalidArgument("\"any\" machine and --device all do not go together", "name the machines, or --on all");
  }
  if (request.runtime() == kAllRuntimes) {
    return InvalidArgument("\"any\" machine and --runtime all do not go together", "name the machines, or --on all");
  }
  Target any{nullptr, targets.front().placement};
  any.placement.devices = {""};
  return std::vector<Target>{any};
}

// What was set and the defaults of the rest, so that a run is found by what it did.
std::map<std::string, std::string> WithDefaults(const Placement& placement) {
  std::map<std::string, std::string> values = placement.parameters;
  for (const v1::ParameterSpec& spec : placement.workload->parameters()) {
    values.emplace(spec.name(), spec.default_value());
  }
  return values;
}

// What the runs of a job on one device of a target have in common.
RunRecord CommonRecord(const Job& job, const Target& target, const std::string& device) {
  const v1::SubmitRequest& request = job.record.request;
  const v1::WorkloadSpec& workload = *target.placement.workload;
  RunRecord record;
  record.job_id = job.record.job_id;
  record.spec.set_workload(request.workload());
  record.spec.set_workload_version(workload.version());
  record.spec.set_runtime(target.placement.runtime);
  record.spec.set_profile(request.profile());
  record.spec.set_device(device);
  record.spec.mutable_parameters()->insert(target.placement.parameters.begin(), target.placement.parameters.end());
  record.board = BoardKey(workload, target.placement.parameters);
  record.overrides = OverridesKey(workload, request.profile(), target.placement.parameters);
  if (target.agent != nullptr) {
    record.target_agent_id = record.agent_id = target.agent->id();
    for (const v1::Device& known : target.agent->record.description.devices()) {
      if (known.name() == device) record.device_kind = known.kind();
    }
  }
  return record;
}

// Returns its id.
std::string MakeRun(StepContext& step, Job& job, const RunRecord& common, int repetition, int index) {
  auto run = std::make_unique<Run>();
  RunRecord& record = run->record;
  record = common;
  record.run_id = DeriveId({"run", job.record.job_id, std::to_string(index)});
  record.index = index;
  record.repetition = repetition;
  run->job = &job;
  run->key = {-int64_t{job.record.request.priority()}, job.record.sequence, index};
  ++job.active_runs;
  Enqueue(step.state, *run);
  step.effects.writes.push_back(PutRun{record});
  step.effects.changed_runs.push_back(record.run_id);
  const std::string run_id = record.run_id;
  step.state.runs[run_id] = std::move(run);
  return run_id;
}

}  // namespace

void OnSubmit(StepContext& step, const SubmitAsked& event) {
  v1::SubmitRequest request = event.request;
  if (request.runtime().empty()) request.set_runtime(kOwnRuntime);
  if (request.profile().empty()) request.set_profile(kStockProfile);
  if (request.telemetry().empty()) request.set_telemetry(kTelemetryOn);
  if (request.repeat() == 0) request.set_repeat(1);
  if (Status status = CheckNumbersAndWords(request); !status.ok()) return step.Answer(event.reply, status);
  std::vector<std::string> left_out;
  StatusOr<std::vector<Target>> targets = ChooseTargets(step.state, request, &left_out);
  if (!targets.ok()) return step.Answer(event.reply, targets.status());
  int runs = 0;
  for (const Target& target : *targets) runs += static_cast<int>(target.placement.devices.size()) * request.repeat();
  if (runs > kMostRuns) {
    return step.Answer(event.reply, InvalidArgument("this job would have " + std::to_string(runs) + " runs; " +
                                                    std::to_string(kMostRuns) + " are the most"));
  }
  auto made = std::make_unique<Job>();
  Job& job = *made;
  job.record = {DeriveId({"job", request.request_id()}), step.state.next_job_sequence++, request, step.now.unix_s()};
  step.state.jobs[job.record.job_id] = std::move(made);
  step.effects.writes.push_back(PutJob{job.record, WithDefaults(targets->front().placement)});
  int index = 0;
  v1::SubmitResponse response;
  response.set_job_id(job.record.job_id);
  for (std::string& sentence : left_out) response.add_left_out(std::move(sentence));
  std::vector<RunRecord> round;
  for (const Target& target : *targets) {
    for (const std::string& device : target.placement.devices) round.push_back(CommonRecord(job, target, device));
  }
  // Repetitions outside: each machine has one result soon, instead of one machine having all of them.
  for (int repetition = 1; repetition <= request.repeat(); ++repetition) {
    for (const RunRecord& common : round) response.add_run_ids(MakeRun(step, job, common, repetition, index++));
  }
  step.effects.replies.push_back({event.reply, OkStatus(), "", response});
}

}  // namespace fleetmark
