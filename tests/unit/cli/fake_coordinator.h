#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/grpc_server.h"
#include "common/status.h"
#include "fleetmark/v1/coordinator.grpc.pb.h"

namespace fleetmark {

// A coordinator that answers what a test tells it to, over real loopback. Set the fields before the CLI is run; the
// recorded requests may be read once it has returned.
class FakeCoordinator final : public v1::CoordinatorService::Service {
 public:
  // Listens on `listen`; port 0 picks one.
  explicit FakeCoordinator(const std::string& listen = "127.0.0.1:0");
  ~FakeCoordinator() override;

  std::string address() const { return server_->address(); }
  void Stop() { server_.reset(); }

  // Every call fails with it.
  Status failure;

  v1::ListAgentsResponse agents;
  v1::ListWorkloadsResponse workloads;
  v1::ListReferencesResponse references;
  v1::ListJobsResponse jobs;
  v1::RunInfo run;
  std::vector<v1::RunInfo> runs;
  std::vector<v1::RunUpdate> updates;  // of WatchRuns
  // After its updates WatchRuns ends like a coordinator that dies (kUnavailable), or waits until the client goes.
  enum class WatchEnd { kDone, kLost, kHang } watch_end = WatchEnd::kDone;
  std::function<void()> on_watch;  // called when the updates of a watch were sent
  int lost_submits = 0;            // so many Submits are done, but their answers are lost
  // When it is set each Submit makes a job of one run that ends as this says, and WatchRuns tells of those.
  std::function<v1::RunInfo(const v1::SubmitRequest&)> execute;
  std::vector<v1::TunedProfile> profiles;
  std::vector<std::string> log_chunks;
  Status export_failure;  // after the runs
  std::vector<v1::Chunk> backup;
  Status backup_failure;  // after those
  v1::Leaderboard leaderboard;
  v1::History history;

  v1::SubmitRequest submitted;
  std::vector<v1::SubmitRequest> all_submitted;
  std::vector<v1::TunedProfile> kept;
  v1::ProfileFilter profile_filter;
  std::vector<std::string> submit_request_ids;
  v1::RunFilter filter;
  v1::LeaderboardRequest leaderboard_request;
  v1::HistoryRequest history_request;
  v1::CancelRequest cancelled;
  std::string called;  // the last of the agents' actions: "add 127.0.0.1:7810"
  int watches = 0;

 private:
  using Context = grpc::ServerContext;
  grpc::Status AddAgent(Context*, const v1::AddAgentRequest* request, v1::AgentInfo* response) override;
  grpc::Status RemoveAgent(Context*, const v1::RemoveAgentRequest* request, v1::AgentInfo* response) override;
  grpc::Status DrainAgent(Context*, const v1::DrainAgentRequest* request, v1::AgentInfo* response) override;
  grpc::Status ListAgents(Context*, const v1::ListAgentsRequest*, v1::ListAgentsResponse* response) override;
  grpc::Status ListWorkloads(Context*, const v1::ListWorkloadsRequest*, v1::ListWorkloadsResponse* response) override;
  grpc::Status Submit(Context*, const v1::SubmitRequest* request, v1::SubmitResponse* response) override;
  grpc::Status Cancel(Context*, const v1::CancelRequest* request, v1::CancelResponse* response) override;
  grpc::Status ListJobs(Context*, const v1::ListJobsRequest*, v1::ListJobsResponse* response) override;
  grpc::Status ListRuns(Context*, const v1::RunFilter* request, v1::ListRunsResponse* response) override;
  grpc::Status GetRun(Context*, const v1::GetRunRequest*, v1::RunInfo* response) override;
  grpc::Status ExportRuns(Context*, const v1::RunFilter* request, grpc::ServerWriter<v1::RunInfo>* writer) override;
  grpc::Status Backup(Context*, const v1::BackupRequest*, grpc::ServerWriter<v1::Chunk>* writer) override;
  grpc::Status WatchRuns(Context*, const v1::WatchRunsRequest*, grpc::ServerWriter<v1::RunUpdate>* writer) override;
  grpc::Status KeepProfiles(Context*, const v1::KeepProfilesRequest* request,
                            v1::KeepProfilesResponse* response) override;
  grpc::Status ListProfiles(Context*, const v1::ProfileFilter* request, v1::ListProfilesResponse* response) override;
  grpc::Status ForgetProfiles(Context*, const v1::ProfileFilter* request, v1::ListProfilesResponse* response) override;
  grpc::Status GetLog(Context*, const v1::GetLogRequest*, grpc::ServerWriter<v1::Chunk>* writer) override;
  grpc::Status GetLeaderboard(Context*, const v1::LeaderboardRequest* request, v1::Leaderboard* response) override;
  grpc::Status GetHistory(Context*, const v1::HistoryRequest* request, v1::History* response) override;
  grpc::Status ListReferences(Context*, const v1::ListReferencesRequest*,
                              v1::ListReferencesResponse* response) override;
  grpc::Status GetVersion(Context*, const v1::GetVersionRequest*, v1::VersionInfo* response) override;

  std::map<std::string, v1::RunInfo> executed_;  // by job
  std::unique_ptr<GrpcServer> server_;
};

}  // namespace fleetmark
