#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "common/status.h"
#include "fleetmark/v1/coordinator.grpc.pb.h"

namespace fleetmark {

// The coordinator as the CLI sees it. It connects at the first call. Every error names the address; one that it cannot
// reach fails within two seconds, one that does not answer within ten. Not thread-safe, but for cancelling the context
// of a running stream.
class Client {
 public:
  using Stub = v1::CoordinatorService::Stub;

  Client(std::string address, bool insecure) : address_(std::move(address)), insecure_(insecure) {}

  const std::string& address() const { return address_; }

  // client.Call(&Client::Stub::ListAgents, v1::ListAgentsRequest())
  template <typename Request, typename Response>
  StatusOr<Response> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                          const Request& request) {
    FLEETMARK_RETURN_IF_ERROR(Connect());
    grpc::ClientContext context;
    Introduce(&context);
    SetDeadline(&context);
    Response response;
    FLEETMARK_RETURN_IF_ERROR(Explain((stub_.get()->*method)(&context, request, &response)));
    return response;
  }

  // Hands each message of a stream to `take` until it ends or `take` fails. `context` belongs to the caller, who may
  // cancel it from another thread.
  template <typename Request, typename Response>
  Status Stream(std::unique_ptr<grpc::ClientReader<Response>> (Stub::*method)(grpc::ClientContext*, const Request&),
                const Request& request, grpc::ClientContext* context,
                const std::function<Status(const Response&)>& take) {
    FLEETMARK_RETURN_IF_ERROR(Connect());
    Introduce(context);
    const std::unique_ptr<grpc::ClientReader<Response>> reader = (stub_.get()->*method)(context, request);
    for (Response response; reader->Read(&response);) {
      if (const Status status = take(response); !status.ok()) {
        context->TryCancel();
        reader->Finish();
        return status;
      }
    }
    return Explain(reader->Finish());
  }

 private:
  // Dials where that was not done, and waits until the channel is ready.
  Status Connect();
  // Says which versions of the protocol this program speaks.
  static void Introduce(grpc::ClientContext* context);
  static void SetDeadline(grpc::ClientContext* context);
  // What the caller is told: the coordinator's own words, or that it cannot be reached.
  Status Explain(const grpc::Status& status) const;
  Status Unreachable(const std::string& why) const;

  const std::string address_;
  const bool insecure_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<Stub> stub_;
};

}  // namespace fleetmark
