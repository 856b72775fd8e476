#include "common/proto_json.h"
#include "tests/fuzz/coordinator_world.h"
#include "tests/fuzz/fuzz_target.h"

namespace fleetmark::fuzz {

void CoordinatorWorld::CheckStored() {
  const StatusOr<StoredState> stored = store_->Load();
  Require(stored.ok(), "what is stored can be loaded");
  const CoordinatorCore rebuilt(config_, *stored, now_);
  Require(rebuilt.Agents(now_).agents_size() == core_->Agents(now_).agents_size(),
          "a rebuilt core has the same agents");
  Require(rebuilt.Workloads().size() == core_->Workloads().size(), "a rebuilt core has the same workloads");
  Require(rebuilt.Profiles({})->size() == core_->Profiles({})->size(), "a rebuilt core has the same profiles");
  std::map<std::string, std::string> live;  // attempts by run
  for (const AttemptRecord& attempt : stored->attempts) {
    Require(live.try_emplace(attempt.run_id, attempt.attempt_id).second, "a run has one live attempt");
  }
  for (const std::string& id : runs_) {
    StatusOr<v1::RunInfo> run = reader_->GetRun(id, ResultDetail::kComplete);
    Require(run.ok(), "a run that was promised is stored: " + run.status().ToString());
    v1::RunInfo again = *run;
    Require(core_->Describe(&*run, now_) == rebuilt.Describe(&again, now_), "a rebuilt core follows the same runs");
    const std::string attempt = core_->FindLive(id).attempt_id;  // empty also while its agent cannot be reached
    Require(attempt.empty() || attempt == live[id], "a rebuilt core has the same attempts");
    Require(ToJson(*run, false) != "{}", "a run can be shown");
  }
  v1::RunFilter filter;
  Require(reader_->ListRuns(filter, 0, ResultDetail::kBrief).ok() && reader_->ListJobs(0, false).ok(),
          "lists can be read");
  BoardQuery query;
  query.workload = "work";
  query.workload_version = 1;
  query.metric = "it_per_s";
  Require(reader_->BoardValues(query).ok() && reader_->ListWorkloads().ok(), "a board can be read");
  const v1::ListAgentsResponse list = core_->Agents(now_);
  for (const v1::AgentInfo& agent : list.agents()) Require(ToJson(agent, false) != "{}", "an agent can be shown");
}

}  // namespace fleetmark::fuzz
