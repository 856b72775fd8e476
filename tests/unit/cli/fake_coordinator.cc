#include "tests/unit/cli/fake_coordinator.h"

#include <chrono>
#include <thread>

#include "common/grpc_status.h"
#include "common/protocol_version.h"

namespace fleetmark {

FakeCoordinator::FakeCoordinator(const std::string& listen) {
  GrpcServerOptions options;
  options.listen = listen;
  StatusOr<std::unique_ptr<GrpcServer>> server = GrpcServer::Start(options, {this});
  if (!server.ok()) std::abort();
  server_ = std::move(server).value();
}

FakeCoordinator::~FakeCoordinator() = default;

grpc::Status FakeCoordinator::AddAgent(Context*, const v1::AddAgentRequest* request, v1::AgentInfo* response) {
  called = "add " + request->address();
  response->set_name("lab-3");
  response->set_state("idle");
  response->set_address(request->address());
  return ToGrpcStatus(failure);
}

grpc::Status FakeCoordinator::RemoveAgent(Context*, const v1::RemoveAgentRequest* request, v1::AgentInfo* response) {
  called = "remove " + request->name();
  response->set_name(request->name());
  response->set_state("offline");
  return ToGrpcStatus(failure);
}

grpc::Status FakeCoordinator::DrainAgent(Context*, const v1::DrainAgentRequest* request, v1::AgentInfo* response) {
  called = (request->on() ? "drain " : "resume ") + request->name();
  response->set_name(request->name());
  response->set_state(request->on() ? "draining" : "idle");
  return ToGrpcStatus(failure);
}

grpc::Status FakeCoordinator::ListAgents(Context*, const v1::ListAgentsRequest*, v1::ListAgentsResponse* response) {
  *response = agents;
  return ToGrpcStatus(failure);
}

grpc::Status FakeCoordinator::ListWorkloads(Context*, const v1::ListWorkloadsRequest*,
                                            v1::ListWorkloadsResponse* response) {
  *response = workloads;
  return ToGrpcStatus(failure);
}

grpc::Status FakeCoordinator::Submit(Context*, const v1::SubmitRequest* request, v1::SubmitResponse* response) {
  submitted = *request;
  all_submitted.push_back(*request);
  submit_request_ids.push_back(request->request_id());
  // As a connection that breaks after the work was done: no details, because no coordinator said it.
  if (lost_submits-- > 0) return grpc::Status(grpc::StatusCode::UNAVAILABLE, "socket closed");
  response->set_job_id("jjjjjjjjjjjjjjjjjjjj");
  if (execute) {
    response->set_job_id("job-" + std::to_string(all_submitted.size()));
    v1::RunInfo ended = execute(*request);
    ended.set_job_id(response->job_id());
    ended.set_run_id("run of " + response->job_id());
    executed_[response->job_id()] = ended;
  }
  for (const v1::RunInfo& one : runs) response->add_run_ids(one.run_id());
  return ToGrpcStatus(failure);
}

grpc::Status FakeCoordinator::Cancel(Context*, const v1::CancelRequest* request, v1::CancelResponse* response) {
  cancelled = *request;
  *response->mutable_runs() = {runs.begin(), runs.end()};
  return ToGrpcStatus(failure);
}

grpc::Status FakeCoordinator::ListJobs(Context*, const v1::ListJobsRequest*, v1::ListJobsResponse* response) {
  *response = jobs;
  return ToGrpcStatus(failure);
}

grpc::Status FakeCoordinator::ListRuns(Context*, const v1::RunFilter* request, v1::ListRunsResponse* response) {
  filter = *request;
  *response->mutable_runs() = {runs.begin(), runs.end()};
  return ToGrpcStatus(failure);
}

grpc::Status FakeCoordinator::GetRun(Context*, const v1::GetRunRequest*, v1::RunInfo* response) {
  *response = run;
  return ToGrpcStatus(failure);
}

grpc::Status FakeCoordinator::ExportRuns(Context*, const v1::RunFilter* request,
                                         grpc::ServerWriter<v1::RunInfo>* writer) {
  filter = *request;
  if (!failure.ok()) return ToGrpcStatus(failure);
  for (const v1::RunInfo& one : runs) writer->Write(one);
  return ToGrpcStatus(export_failure);
}

grpc::Status FakeCoordinator::Backup(Context*, const v1::BackupRequest*, grpc::ServerWriter<v1::Chunk>* writer) {
  if (!failure.ok()) return ToGrpcStatus(failure);
  for (const v1::Chunk& one : backup) writer->Write(one);
  return ToGrpcStatus(backup_failure);
}

grpc::Status FakeCoordinator::WatchRuns(Context* context, const v1::WatchRunsRequest* request,
                                        grpc::ServerWriter<v1::RunUpdate>* writer) {
  ++watches;
  if (!failure.ok()) return ToGrpcStatus(failure);
  for (const std::string& id : request->ids()) {
    v1::RunUpdate update;
    *update.mutable_run() = executed_[id];
    if (execute) writer->Write(update);
  }
  for (const v1::RunUpdate& update : updates) writer->Write(update);
  const WatchEnd end = watch_end;
  if (on_watch) on_watch();
  if (end == WatchEnd::kLost) return grpc::Status(grpc::StatusCode::UNAVAILABLE, "socket closed");
  // The synchronous server has no call to wait for a cancellation.
  while (end == WatchEnd::kHang && !context->IsCancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  return grpc::Status::OK;
}

grpc::Status FakeCoordinator::KeepProfiles(Context*, const v1::KeepProfilesRequest* request,
                                           v1::KeepProfilesResponse* response) {
  called = "keep " + std::to_string(request->profiles_size());
  kept.insert(kept.end(), request->profiles().begin(), request->profiles().end());
  *response->mutable_profiles() = request->profiles();
  return ToGrpcStatus(failure);
}

grpc::Status FakeCoordinator::ListProfiles(Context*, const v1::ProfileFilter* request,
                                           v1::ListProfilesResponse* response) {
  profile_filter = *request;
  *response->mutable_profiles() = {profiles.begin(), profiles.end()};
  return ToGrpcStatus(failure);
}

grpc::Status FakeCoordinator::ForgetProfiles(Context*, const v1::ProfileFilter* request,
                                             v1::ListProfilesResponse* response) {
  called = "forget " + request->workload() + " on " + request->agent();
  *response->mutable_profiles() = {profiles.begin(), profiles.end()};
  return ToGrpcStatus(failure);
}

grpc::Status FakeCoordinator::GetLog(Context*, const v1::GetLogRequest*, grpc::ServerWriter<v1::Chunk>* writer) {
  for (const std::string& data : log_chunks) {
    v1::Chunk chunk;
    chunk.set_data(data);
    writer->Write(chunk);
  }
  return ToGrpcStatus(failure);
}

grpc::Status FakeCoordinator::GetLeaderboard(Context*, const v1::LeaderboardRequest* request,
                                             v1::Leaderboard* response) {
  leaderboard_request = *request;
  *response = leaderboard;
  return ToGrpcStatus(failure);
}

grpc::Status FakeCoordinator::GetHistory(Context*, const v1::HistoryRequest* request, v1::History* response) {
  history_request = *request;
  *response = history;
  return ToGrpcStatus(failure);
}

grpc::Status FakeCoordinator::ListReferences(Context*, const v1::ListReferencesRequest*,
                                             v1::ListReferencesResponse* response) {
  *response = references;
  return ToGrpcStatus(failure);
}

grpc::Status FakeCoordinator::GetVersion(Context*, const v1::GetVersionRequest*, v1::VersionInfo* response) {
  response->set_version("9.8.7");
  response->set_protocol_min(kThisProtocol.min);
  response->set_protocol_max(kThisProtocol.max);
  return ToGrpcStatus(failure);
}

}  // namespace fleetmark
