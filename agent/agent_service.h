#pragma once

#include <grpcpp/grpcpp.h>

#include <map>
#include <string>

#include "agent/agent_loop.h"
#include "fleetmark/v1/agent.grpc.pb.h"

namespace fleetmark::agent {

// AgentService over an AgentLoop. Each handler may block: it is called on a thread of its own.
class AgentService final : public v1::AgentService::Service {
 public:
  // `loop` must outlive this. `base` is what the loop does not know of itself: host and labels.
  AgentService(AgentLoop* loop, v1::AgentDescription base) : loop_(loop), base_(std::move(base)) {}

  // As Describe answers.
  v1::AgentDescription Description() const;

  grpc::Status Describe(grpc::ServerContext* context, const v1::DescribeRequest* request,
                        v1::AgentDescription* response) override;
  grpc::Status Sync(grpc::ServerContext* context, const v1::SyncRequest* request, v1::SyncResponse* response) override;
  grpc::Status StartRun(grpc::ServerContext* context, const v1::StartRunRequest* request,
                        v1::AttemptStatus* response) override;
  grpc::Status CancelRun(grpc::ServerContext* context, const v1::CancelRunRequest* request,
                         v1::AttemptStatus* response) override;
  grpc::Status WatchRun(grpc::ServerContext* context, const v1::WatchRunRequest* request,
                        grpc::ServerWriter<v1::RunEvent>* writer) override;
  grpc::Status FetchResult(grpc::ServerContext* context, const v1::FetchRequest* request,
                           grpc::ServerWriter<v1::Chunk>* writer) override;
  grpc::Status FetchLog(grpc::ServerContext* context, const v1::FetchRequest* request,
                        grpc::ServerWriter<v1::Chunk>* writer) override;
  grpc::Status Drain(grpc::ServerContext* context, const v1::DrainRequest* request,
                     v1::DrainResponse* response) override;

 private:
  AgentLoop* loop_;
  const v1::AgentDescription base_;
};

}  // namespace fleetmark::agent
