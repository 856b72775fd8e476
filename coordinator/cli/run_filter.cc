#include "coordinator/cli/run_filter.h"

#include <CLI/CLI.hpp>

#include "common/time_text.h"

namespace fleetmark {
StatusOr<std::vector<std::pair<std::string, std::string>>> ParseAssignments(const std::vector<std::string>& words,
                                                                            const std::string& flag) {
  std::vector<std::pair<std::string, std::string>> assignments;
  for (const std::string& word : words) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0) {
      return InvalidArgument(flag + " " + word + ": it is not NAME=VALUE", "write for example " + flag + " batch=64");
    }
    const std::string name = word.substr(0, equals);
    for (const auto& [other, value] : assignments) {
      if (other == name) return InvalidArgument(flag + " " + name + " was given twice", "give each parameter once");
    }
    assignments.emplace_back(name, word.substr(equals + 1));
  }
  return assignments;
}

void DeclareSet(CLI::App* app, std::vector<std::string>* words, const std::string& doc) {
  // One word a flag: without this it would swallow the positional arguments behind it.
  app->add_option("--set", *words, doc)->type_name("NAME=VALUE")->allow_extra_args(false);
}

StatusOr<double> ParseMoment(const std::string& text, const std::string& flag, double now_unix_s) {
  if (text.empty()) return 0.0;
  StatusOr<double> moment = ParseTime(text, now_unix_s);
  if (!moment.ok()) return InvalidArgument(flag + ": " + moment.status().message(), moment.status().hint());
  return moment;
}

void RunFilterFlags::Declare(CLI::App* app, const std::string& limit_doc) {
  app->add_option("--workload", workload_, "Runs of this workload")->type_name("NAME");
  DeclareSet(app, &set_, "Runs with this parameter (repeatable)");
  app->add_option("--on", agent_, "Runs on this agent")->type_name("AGENT");
  app->add_option("--device", device_, "Runs on this device or kind: cpu, cuda, cuda:1")->type_name("DEVICE");
  app->add_option("--runtime", runtime_, "Runs by this runtime")->type_name("NAME");
  app->add_option("--profile", profile_, "Runs with this profile: stock or tuned")->type_name("PROFILE");
  app->add_option("--state", state_, "queued, running, succeeded, failed, cancelled, timed_out or interrupted")
      ->type_name("STATE");
  app->add_option("--verdict", verdict_, "UNCHECKED, OK, NOISY, THROTTLED, INTERFERED or IMPLAUSIBLE")
      ->type_name("VERDICT");
  app->add_option("--since", since_, "Submitted since then: 7d, 2h, 2026-11-21, \"2026-11-21 14:02\"")
      ->type_name("TIME");
  app->add_option("--until", until_, "Submitted until then")->type_name("TIME");
  app->add_option("--job", job_, "Runs of this job")->type_name("JOB");
  app->add_option("--limit", limit_, limit_doc)->type_name("N")->check(CLI::Range(0, 1000000000).description(""));
}

StatusOr<v1::RunFilter> RunFilterFlags::ToFilter(double now_unix_s) const {
  v1::RunFilter filter;
  FLEETMARK_RETURN_IF_ERROR(FillParameters(set_, &filter));
  FLEETMARK_ASSIGN_OR_RETURN(const double since, ParseMoment(since_, "--since", now_unix_s));
  FLEETMARK_ASSIGN_OR_RETURN(const double until, ParseMoment(until_, "--until", now_unix_s));
  filter.set_since_unix_s(since);
  filter.set_until_unix_s(until);
  filter.set_workload(workload_);
  filter.set_agent(agent_);
  filter.set_device(device_);
  filter.set_runtime(runtime_);
  filter.set_profile(profile_);
  filter.set_state(state_);
  filter.set_verdict(verdict_);
  filter.set_job_id(job_);
  filter.set_limit(limit_);
  return filter;
}

}  // namespace fleetmark
