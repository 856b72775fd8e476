#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/grpc_server.h"
#include "common/status.h"
#include "fleetmark/v1/agent.grpc.pb.h"

namespace fleetmark {

// Stands between a coordinator and a real agent, which joins under the post office's address: passes every call on, but
// for what a test wants kept, lost or forged. Thread-safe.
class PostOffice final : public v1::AgentService::Service {
 public:
  PostOffice();
  ~PostOffice() override;
  const std::string& address() const { return server_->address(); }
  // Where the agent is from now on.
  void Serve(const std::string& agent_address);

  // Nothing passes, either way: a call fails at once.
  void Cut(bool is_cut);
  // Requests reach the agent; the coordinator never hears what it said to a Sync.
  void LoseSyncAnswers();
  // The next StartRun is kept; for its sender it got lost on its way.
  void KeepNextStart();
  // Beside what the agent offers: a report of other bytes, however often it is acknowledged.
  void Forge(const std::string& attempt_id, const std::string& bytes);
  // Every message, either way, carries a field that only a newer version knows.
  void AddUnknownFields();
  // Called with each StartRun before it is passed on.
  void OnStart(std::function<void()> look);

  // What came through, oldest first; a kept StartRun is among them. Copies.
  std::vector<v1::StartRunRequest> starts() const;
  std::vector<v1::SyncRequest> syncs() const;  // that the agent has answered
  int forged_fetches() const;
  int forged_acks() const;

  // Hands these to the agent as if they had been under way until now.
  StatusOr<v1::AttemptStatus> Deliver(const v1::StartRunRequest& request);
  StatusOr<v1::SyncResponse> Deliver(const v1::SyncRequest& request);

 private:
  using Context = grpc::ServerContext;
  using Stub = v1::AgentService::Stub;

  grpc::Status Describe(Context* context, const v1::DescribeRequest* request, v1::AgentDescription* response) override;
  grpc::Status Sync(Context* context, const v1::SyncRequest* request, v1::SyncResponse* response) override;
  grpc::Status StartRun(Context* context, const v1::StartRunRequest* request, v1::AttemptStatus* response) override;
  grpc::Status CancelRun(Context* context, const v1::CancelRunRequest* request, v1::AttemptStatus* response) override;
  grpc::Status FetchResult(Context* context, const v1::FetchRequest* request,
                           grpc::ServerWriter<v1::Chunk>* writer) override;
  grpc::Status FetchLog(Context* context, const v1::FetchRequest* request,
                        grpc::ServerWriter<v1::Chunk>* writer) override;

  template <typename Request, typename Response>
  grpc::Status Pass(Context* context, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response* response);
  using Fetch = std::unique_ptr<grpc::ClientReader<v1::Chunk>> (Stub::*)(grpc::ClientContext*, const v1::FetchRequest&);
  grpc::Status PassStream(Context* context, Fetch method, const v1::FetchRequest& request,
                          grpc::ServerWriter<v1::Chunk>* writer);
  void AddForged(v1::SyncResponse* response) const;
  std::shared_ptr<Stub> stub() const;

  mutable std::mutex mutex_;
  std::shared_ptr<Stub> stub_;
  bool is_cut_ = false;
  bool loses_sync_answers_ = false;
  bool keeps_next_start_ = false;
  bool adds_unknown_fields_ = false;
  std::map<std::string, std::string> forged_;  // attempt id -> bytes
  std::function<void()> on_start_;
  std::vector<v1::StartRunRequest> starts_;
  std::vector<v1::SyncRequest> syncs_;
  int forged_fetches_ = 0;
  int forged_acks_ = 0;
  std::unique_ptr<GrpcServer> server_;
};

}  // namespace fleetmark
