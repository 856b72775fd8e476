#include "coordinator/cli/client.h"

#include "common/grpc_server.h"
#include "common/grpc_status.h"
#include "common/protocol_version.h"

namespace fleetmark {
namespace {

constexpr auto kConnectLimit = std::chrono::seconds(2);
constexpr auto kCallLimit = std::chrono::seconds(10);

}  // namespace

Status Client::Connect() {
  if (channel_ == nullptr) {
    FLEETMARK_ASSIGN_OR_RETURN(channel_, Dial(address_, insecure_, "--coordinator"));
    stub_ = v1::CoordinatorService::NewStub(channel_);
  }
  const auto deadline = std::chrono::system_clock::now() + kConnectLimit;
  grpc_connectivity_state state = channel_->GetState(true);
  while (state == GRPC_CHANNEL_IDLE || state == GRPC_CHANNEL_CONNECTING) {
    if (!channel_->WaitForStateChange(state, deadline)) return Unreachable("no answer within 2 s");
    state = channel_->GetState(true);
  }
  return state == GRPC_CHANNEL_READY ? OkStatus() : Unreachable("the name is not known or the connection was refused");
}

void Client::Introduce(grpc::ClientContext* context) {
  context->AddMetadata(kProtocolMetadata, FormatProtocols(SpokenProtocols()));
}

void Client::SetDeadline(grpc::ClientContext* context) {
  context->set_deadline(std::chrono::system_clock::now() + kCallLimit);
}

Status Client::Explain(const grpc::Status& status) const {
  if (status.ok()) return OkStatus();
  // Details are there when the coordinator itself said no; without them the words are gRPC's, which no user knows.
  if (!status.error_details().empty()) return FromGrpcStatus(status);
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE) return Unreachable("the connection was lost");
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    return Status(StatusCode::kDeadlineExceeded, "the coordinator at " + address_ + " did not answer within 10 s",
                  "is it busy or stopped? Its log says what it does");
  }
  if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED) {
    return Status(StatusCode::kUnimplemented, "what answers at " + address_ + " does not know this request",
                  "is it a coordinator, and not older than this program? `fleetmark version` compares them");
  }
  return FromGrpcStatus(status);
}

Status Client::Unreachable(const std::string& why) const {
  return Unavailable("cannot reach the coordinator at " + address_ + ": " + why,
                     "start one with `fleetmark-coordinator`, or name another by --coordinator HOST:PORT",
                     "unreachable");
}

}  // namespace fleetmark
