#include "tests/benchmark/instant_agents.h"

#include <pthread.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <utility>

#include "common/ids.h"
#include "common/protocol_version.h"
#include "common/sha256.h"

namespace fleetmark {
namespace {

// What a machine with two runtimes says of itself, in size.
constexpr int kWorkloads = 10;
constexpr int kParameters = 14;
constexpr int kMetrics = 12;
constexpr int kSamples = 500;  // in a report: 4 kB

double SecondsOf(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}
double UnixSeconds() { return SecondsOf(CLOCK_REALTIME); }
double BootSeconds() { return SecondsOf(CLOCK_BOOTTIME); }

v1::WorkloadSpec MakeWorkload(int number) {
  v1::WorkloadSpec workload;
  workload.set_name(number == 0 ? "noop" : "workload_" + std::to_string(number));
  workload.set_version(1);
  workload.set_doc("Trains a small network on synthetic data, so that nothing but the machine decides");
  workload.add_device_kinds("cpu");
  for (int i = 0; i < kParameters; ++i) {
    v1::ParameterSpec* parameter = workload.add_parameters();
    parameter->set_name("parameter_" + std::to_string(i));
    parameter->set_type("int");
    parameter->set_default_value("1");
    parameter->set_min(0);
    parameter->set_max(4096);
    parameter->set_doc("How many of them there are in each step of the measured part");
    parameter->set_defines_board(i == 0);
  }
  for (int i = 0; i < kMetrics; ++i) {
    v1::MetricSpec* metric = workload.add_metrics();
    metric->set_name(i == 0 ? "it_per_s" : "metric_" + std::to_string(i));
    metric->set_unit("it/s");
    metric->set_better("more");
    metric->set_aggregate("median");
    metric->set_doc("Steps a second over the measured part, warm-up left out");
  }
  return workload;
}

v1::AgentDescription MakeDescription() {
  v1::AgentDescription description;
  description.set_boot_id("boot");
  description.set_process_id(NewId());
  description.set_version("benchmark");
  description.set_protocol_min(SpokenProtocols().min);
  description.set_protocol_max(SpokenProtocols().max);
  description.mutable_host()->set_cpu_model("no processor at all");
  v1::Device device;
  device.set_name("cpu");
  device.set_kind("cpu");
  device.set_model("no processor at all");
  device.set_uuid("cpu");
  *description.add_devices() = device;
  for (const char* runtime : {"instant", "other"}) {
    v1::Runtime* offered = description.add_runtimes();
    offered->set_name(runtime);
    offered->mutable_description()->set_runtime(runtime);
    offered->mutable_description()->set_runtime_version("1");
    *offered->mutable_description()->add_devices() = device;
    for (int i = 0; i < kWorkloads; ++i) *offered->mutable_description()->add_workloads() = MakeWorkload(i);
  }
  return description;
}

v1::AttemptReport MakeReport() {
  v1::AttemptReport report;
  report.set_outcome("succeeded");
  v1::Result* result = report.mutable_result();
  result->set_primary_metric("it_per_s");
  for (int i = 0; i < kMetrics; ++i) {
    v1::Metric* metric = result->add_metrics();
    metric->set_name(i == 0 ? "it_per_s" : "metric_" + std::to_string(i));
    metric->set_unit("it/s");
    metric->set_value(100 + i);
    metric->set_n(kSamples);
    metric->set_ci_low(99);
    metric->set_ci_high(101);
  }
  v1::Samples* samples = result->add_samples();
  samples->set_name("step_s");
  for (int i = 0; i < kSamples; ++i) samples->add_values(0.01 + i * 1e-6);
  v1::Environment* environment = result->mutable_environment();
  environment->set_host("nowhere");
  environment->set_cpu_model("no processor at all");
  environment->mutable_device()->set_name("cpu");
  environment->mutable_device()->set_kind("cpu");
  environment->mutable_device()->set_model("no processor at all");
  result->mutable_verdict()->set_kind("OK");
  return report;
}

}  // namespace

void NameThread(const char* name) { pthread_setname_np(pthread_self(), name); }

InstantAgents::InstantAgents(int count) : agents_(count), description_(MakeDescription()), report_(MakeReport()) {
  for (int i = 0; i < count; ++i) {
    char name[16];
    std::snprintf(name, sizeof(name), "lab-%05d", i + 1);
    agents_[i].name = name;
    agents_[i].agent_id = DeriveId({"agent", name});
  }
  thread_ = std::thread([this] {
    NameThread("agents");
    AnswerInTime();
  });
}

InstantAgents::~InstantAgents() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
  for (Agent& agent : agents_) {
    if (agent.parked) Answer(agent)();
  }
}

v1::AgentDescription InstantAgents::Describe(int index) const {
  v1::AgentDescription description = description_;
  description.set_agent_id(agents_[index].agent_id);
  description.set_name(agents_[index].name);
  description.set_incarnation("the first of " + agents_[index].name);
  description.mutable_host()->set_hostname(agents_[index].name);
  return description;
}

std::function<void()> InstantAgents::Answer(Agent& agent) {
  const int index = static_cast<int>(&agent - agents_.data());
  const double now = BootSeconds();
  v1::SyncResponse response;
  response.set_boot_id(description_.boot_id());
  response.set_boottime_ns(static_cast<int64_t>(now * 1e9));
  response.set_incarnation("the first of " + agent.name);
  response.set_process_id(description_.process_id());
  response.set_revision(agent.revision);
  const auto add = [&](const std::string& attempt_id, const char* state) {
    v1::AttemptStatus* status = response.add_attempts();
    status->set_attempt_id(attempt_id);
    status->set_state(state);
  };
  for (const std::string& attempt_id : agent.running) add(attempt_id, "running");
  for (const auto& [attempt_id, hash] : agent.hashes) {
    add(attempt_id, "result_ready");
    v1::PendingResult* pending = response.add_pending_results();
    pending->set_attempt_id(attempt_id);
    pending->set_sha256(hash);
  }
  ++statistics_.syncs;
  if (agent.answered_s > 0) {
    statistics_.longest_unseen_s = std::max(statistics_.longest_unseen_s, now - agent.answered_s);
  }
  agent.answered_s = now;
  timers_.erase({agent.parked_until_s, index});
  return [answer = std::exchange(agent.parked, nullptr), response = std::move(response)] { answer(response); };
}

void InstantAgents::TakeAcks(Agent& agent, const v1::SyncRequest& request) {
  for (const v1::Ack& ack : request.acks()) {
    const auto hash = agent.hashes.find(ack.attempt_id());
    if (hash == agent.hashes.end()) continue;
    if (hash->second != ack.sha256()) {
      ++statistics_.wrong_acks;
      continue;
    }
    agent.hashes.erase(hash);
    agent.reports.erase(ack.attempt_id());
    ++agent.revision;
    ++statistics_.acknowledged;
    statistics_.last_ack_unix_s = UnixSeconds();
  }
}

void InstantAgents::Sync(int index, const v1::SyncRequest& request, AnswerSync answer) {
  std::function<void()> replaced, now;
  {
    const std::lock_guard lock(mutex_);
    Agent& agent = agents_[index];
    if (agent.parked) replaced = Answer(agent);
    TakeAcks(agent, request);
    agent.parked = std::move(answer);
    agent.parked_until_s = BootSeconds() + request.wait_s();
    if (is_stopping_ || request.known_revision() != agent.revision || !(request.wait_s() > 0)) {
      now = Answer(agent);
    } else {
      const bool is_first = timers_.emplace(agent.parked_until_s, index).first == timers_.begin();
      if (is_first) changed_.notify_all();
    }
  }
  if (replaced) replaced();
  if (now) now();
}

void InstantAgents::AnswerInTime() {
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    const double now = BootSeconds();
    if (timers_.empty() || timers_.begin()->first > now) {
      const double pause_s = timers_.empty() ? 1 : timers_.begin()->first - now;
      changed_.wait_for(lock, std::chrono::duration<double>(pause_s));
      continue;
    }
    const std::function<void()> answer = Answer(agents_[timers_.begin()->second]);
    lock.unlock();
    answer();
    lock.lock();
  }
}

void InstantAgents::Report(Agent& agent, const std::string& attempt_id) {
  agent.running.erase(attempt_id);
  report_.set_attempt_id(attempt_id);
  const double now = UnixSeconds();
  report_.set_started_unix_s(now);
  report_.set_finished_unix_s(now);
  std::string bytes = report_.SerializeAsString();
  agent.hashes[attempt_id] = Sha256Hex(bytes);
  agent.reports[attempt_id] = std::move(bytes);
  ++agent.revision;
  ++statistics_.reported;
  statistics_.last_report_unix_s = now;
}

v1::AttemptStatus InstantAgents::StartRun(int index, const v1::StartRunRequest& request) {
  v1::AttemptStatus status;
  status.set_attempt_id(request.attempt_id());
  status.set_state("running");
  std::function<void()> answer;
  {
    const std::lock_guard lock(mutex_);
    Agent& agent = agents_[index];
    statistics_.last_start_unix_s = UnixSeconds();
    if (statistics_.started++ == 0) statistics_.first_start_unix_s = statistics_.last_start_unix_s;
    if (!ever_started_.insert(request.attempt_id()).second) {
      ++statistics_.repeated_starts;
      return status;
    }
    agent.running.insert(request.attempt_id());
    ++agent.revision;
    if (!is_holding_) Report(agent, request.attempt_id());
    if (agent.parked) answer = Answer(agent);
  }
  if (answer) answer();
  return status;
}

v1::AttemptStatus InstantAgents::CancelRun(int index, const v1::CancelRunRequest& request) {
  const std::lock_guard lock(mutex_);
  ++statistics_.cancelled;
  v1::AttemptStatus status;
  status.set_attempt_id(request.attempt_id());
  status.set_state(agents_[index].hashes.contains(request.attempt_id()) ? "result_ready" : "tombstone");
  return status;
}

std::string InstantAgents::ReportOf(int index, const std::string& attempt_id) {
  const std::lock_guard lock(mutex_);
  const auto& reports = agents_[index].reports;
  const auto found = reports.find(attempt_id);
  return found == reports.end() ? "" : found->second;
}

void InstantAgents::Hold() {
  const std::lock_guard lock(mutex_);
  is_holding_ = true;
}

void InstantAgents::Release() {
  std::vector<std::function<void()>> answers;
  {
    const std::lock_guard lock(mutex_);
    is_holding_ = false;
    for (Agent& agent : agents_) {
      const std::set<std::string> running = agent.running;
      for (const std::string& attempt_id : running) Report(agent, attempt_id);
      if (!running.empty() && agent.parked) answers.push_back(Answer(agent));
    }
  }
  for (const auto& answer : answers) answer();
}

void InstantAgents::Reset() {
  const std::lock_guard lock(mutex_);
  statistics_ = {};
}

std::string InstantAgents::StatisticsJson() {
  const std::lock_guard lock(mutex_);
  const Statistics& s = statistics_;
  const double now = BootSeconds();
  double unseen_s = s.longest_unseen_s;
  for (const Agent& agent : agents_) unseen_s = std::max(unseen_s, agent.answered_s > 0 ? now - agent.answered_s : 0);
  char text[640];
  std::snprintf(text, sizeof(text),
                "{\"agents\": %d, \"started\": %d, \"repeated_starts\": %d, \"cancelled\": %d, \"reported\": %d, "
                "\"acknowledged\": %d, \"wrong_acks\": %d, \"syncs\": %lld, \"first_start_unix_s\": %.6f, "
                "\"last_start_unix_s\": %.6f, \"last_report_unix_s\": %.6f, \"last_ack_unix_s\": %.6f, "
                "\"longest_unseen_s\": %.3f}",
                count(), s.started, s.repeated_starts, s.cancelled, s.reported, s.acknowledged, s.wrong_acks,
                static_cast<long long>(s.syncs), s.first_start_unix_s, s.last_start_unix_s, s.last_report_unix_s,
                s.last_ack_unix_s, unseen_s);
  return text;
}

void ObeyStdin(InstantAgents& agents) {
  std::cout << agents.StatisticsJson() << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    if (line == "hold") agents.Hold();
    if (line == "release") agents.Release();
    if (line == "reset") agents.Reset();
    std::cout << agents.StatisticsJson() << std::endl;
  }
}

}  // namespace fleetmark
