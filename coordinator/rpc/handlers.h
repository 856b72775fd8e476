#pragma once

#include <functional>

#include "common/status.h"
#include "coordinator/coordinator.h"
#include "fleetmark/v1/coordinator.pb.h"

// One handler an RPC, each in its own file, named as the method. Thread-safe. gRPC stays outside, in service.cc.
namespace fleetmark {

// How many rows a list has when nobody says.
inline constexpr int kDefaultListLimit = 50;

// Whether the caller still waits.
using IsCancelled = std::function<bool()>;
// Sends one message of a stream; false when the caller is gone.
template <typename Message>
using Send = std::function<bool(const Message&)>;

Status Register(Coordinator& coordinator, const v1::RegisterRequest& request, v1::RegisterResponse* response);
Status AddAgent(Coordinator& coordinator, const v1::AddAgentRequest& request, v1::AgentInfo* response);
Status RemoveAgent(Coordinator& coordinator, const v1::RemoveAgentRequest& request, v1::AgentInfo* response);
Status DrainAgent(Coordinator& coordinator, const v1::DrainAgentRequest& request, v1::AgentInfo* response);
Status ListAgents(Coordinator& coordinator, const v1::ListAgentsRequest& request, v1::ListAgentsResponse* response);
Status ListWorkloads(Coordinator& coordinator, const v1::ListWorkloadsRequest& request,
                     v1::ListWorkloadsResponse* response);
Status Submit(Coordinator& coordinator, const v1::SubmitRequest& request, v1::SubmitResponse* response);
Status Cancel(Coordinator& coordinator, const v1::CancelRequest& request, v1::CancelResponse* response);
Status ListJobs(Coordinator& coordinator, const v1::ListJobsRequest& request, v1::ListJobsResponse* response);
Status ListRuns(Coordinator& coordinator, const v1::RunFilter& request, v1::ListRunsResponse* response);
Status GetRun(Coordinator& coordinator, const v1::GetRunRequest& request, v1::RunInfo* response);
Status ExportRuns(Coordinator& coordinator, const v1::RunFilter& request, const Send<v1::RunInfo>& send);
Status WatchRuns(Coordinator& coordinator, const v1::WatchRunsRequest& request, const IsCancelled& is_cancelled,
                 const Send<v1::RunUpdate>& send);
Status Backup(Coordinator& coordinator, const v1::BackupRequest& request, const IsCancelled& is_cancelled,
              const Send<v1::Chunk>& send);
Status GetLog(Coordinator& coordinator, const v1::GetLogRequest& request, const Send<v1::Chunk>& send);
Status GetLeaderboard(Coordinator& coordinator, const v1::LeaderboardRequest& request, v1::Leaderboard* response);
Status GetHistory(Coordinator& coordinator, const v1::HistoryRequest& request, v1::History* response);
Status ListReferences(Coordinator& coordinator, const v1::ListReferencesRequest& request,
                      v1::ListReferencesResponse* response);
Status KeepProfiles(Coordinator& coordinator, const v1::KeepProfilesRequest& request,
                    v1::KeepProfilesResponse* response);
Status ListProfiles(Coordinator& coordinator, const v1::ProfileFilter& request, v1::ListProfilesResponse* response);
Status ForgetProfiles(Coordinator& coordinator, const v1::ProfileFilter& request, v1::ListProfilesResponse* response);
Status GetVersion(Coordinator& coordinator, const v1::GetVersionRequest& request, v1::VersionInfo* response);

}  // namespace fleetmark
