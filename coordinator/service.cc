#include "coordinator/service.h"

#include "common/grpc_status.h"
#include "common/protocol_version.h"
#include "coordinator/rpc/handlers.h"
#include "fleetmark/v1/coordinator.grpc.pb.h"

namespace fleetmark {
namespace {

using Context = grpc::ServerContext;

template <typename Message>
Send<Message> SendTo(grpc::ServerWriter<Message>* writer) {
  return [writer](const Message& message) { return writer->Write(message); };
}

// Whether its caller and this coordinator understand each other. Not asked of GetVersion, which is how a caller learns
// that, nor of Register, whose caller is called back and describes itself.
Status CheckCaller(const Context& context) {
  ProtocolRange spoken{1, 1};
  const auto said = context.client_metadata().find(kProtocolMetadata);
  if (said != context.client_metadata().end()) {
    FLEETMARK_ASSIGN_OR_RETURN(spoken, ParseProtocols({said->second.data(), said->second.size()}));
  }
  return NegotiateProtocol({kCoordinatorSide, SpokenProtocols()}, {kCommandLineSide, spoken}).status();
}

// One line an RPC. A handler that streams learns from `send` that its caller is gone.
#define FLEETMARK_UNCHECKED(METHOD, REQUEST, RESPONSE)                                         \
  grpc::Status METHOD(Context*, const v1::REQUEST* request, v1::RESPONSE* response) override { \
    return ToGrpcStatus(fleetmark::METHOD(*coordinator_, *request, response));                 \
  }
#define FLEETMARK_UNARY(METHOD, REQUEST, RESPONSE)                                                     \
  grpc::Status METHOD(Context* context, const v1::REQUEST* request, v1::RESPONSE* response) override { \
    if (const Status status = CheckCaller(*context); !status.ok()) return ToGrpcStatus(status);        \
    return ToGrpcStatus(fleetmark::METHOD(*coordinator_, *request, response));                         \
  }
#define FLEETMARK_STREAM(METHOD, REQUEST, RESPONSE)                                                           \
  grpc::Status METHOD(Context* context, const v1::REQUEST* request, grpc::ServerWriter<v1::RESPONSE>* writer) \
      override {                                                                                              \
    if (const Status status = CheckCaller(*context); !status.ok()) return ToGrpcStatus(status);               \
    return ToGrpcStatus(fleetmark::METHOD(*coordinator_, *request, SendTo(writer)));                          \
  }

class CoordinatorServiceImpl final : public v1::CoordinatorService::Service {
 public:
  explicit CoordinatorServiceImpl(Coordinator* coordinator) : coordinator_(coordinator) {}

  FLEETMARK_UNCHECKED(Register, RegisterRequest, RegisterResponse)
  FLEETMARK_UNARY(AddAgent, AddAgentRequest, AgentInfo)
  FLEETMARK_UNARY(RemoveAgent, RemoveAgentRequest, AgentInfo)
  FLEETMARK_UNARY(DrainAgent, DrainAgentRequest, AgentInfo)
  FLEETMARK_UNARY(ListAgents, ListAgentsRequest, ListAgentsResponse)
  FLEETMARK_UNARY(ListWorkloads, ListWorkloadsRequest, ListWorkloadsResponse)
  FLEETMARK_UNARY(Submit, SubmitRequest, SubmitResponse)
  FLEETMARK_UNARY(Cancel, CancelRequest, CancelResponse)
  FLEETMARK_UNARY(ListJobs, ListJobsRequest, ListJobsResponse)
  FLEETMARK_UNARY(ListRuns, RunFilter, ListRunsResponse)
  FLEETMARK_UNARY(GetRun, GetRunRequest, RunInfo)
  FLEETMARK_STREAM(ExportRuns, RunFilter, RunInfo)
  grpc::Status WatchRuns(Context* context, const v1::WatchRunsRequest* request,
                         grpc::ServerWriter<v1::RunUpdate>* writer) override {
    if (const Status status = CheckCaller(*context); !status.ok()) return ToGrpcStatus(status);
    const IsCancelled is_cancelled = [context] { return context->IsCancelled(); };
    return ToGrpcStatus(fleetmark::WatchRuns(*coordinator_, *request, is_cancelled, SendTo(writer)));
  }
  grpc::Status Backup(Context* context, const v1::BackupRequest* request,
                      grpc::ServerWriter<v1::Chunk>* writer) override {
    const IsCancelled is_cancelled = [context] { return context->IsCancelled(); };
    return ToGrpcStatus(fleetmark::Backup(*coordinator_, *request, is_cancelled, SendTo(writer)));
  }
  FLEETMARK_STREAM(GetLog, GetLogRequest, Chunk)
  FLEETMARK_UNARY(GetLeaderboard, LeaderboardRequest, Leaderboard)
  FLEETMARK_UNARY(GetHistory, HistoryRequest, History)
  FLEETMARK_UNARY(ListReferences, ListReferencesRequest, ListReferencesResponse)
  FLEETMARK_UNARY(KeepProfiles, KeepProfilesRequest, KeepProfilesResponse)
  FLEETMARK_UNARY(ListProfiles, ProfileFilter, ListProfilesResponse)
  FLEETMARK_UNARY(ForgetProfiles, ProfileFilter, ListProfilesResponse)
  FLEETMARK_UNCHECKED(GetVersion, GetVersionRequest, VersionInfo)

 private:
  Coordinator* const coordinator_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeCoordinatorService(Coordinator* coordinator) {
  return std::make_unique<CoordinatorServiceImpl>(coordinator);
}

}  // namespace fleetmark
