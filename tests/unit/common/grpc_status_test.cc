#include "common/grpc_status.h"

#include <gtest/gtest.h>

namespace fleetmark {
namespace {

TEST(GrpcStatus, CarriesCodeMessageHintAndKindBothWays) {
  const Status sent = FailedPrecondition("the fence is older than 3.7", "restart the coordinator", "stale_fence");
  const Status received = FromGrpcStatus(ToGrpcStatus(sent));
  EXPECT_EQ(received.code(), sent.code());
  EXPECT_EQ(received.message(), sent.message());
  EXPECT_EQ(received.hint(), sent.hint());
  EXPECT_EQ(received.kind(), sent.kind());
  EXPECT_TRUE(FromGrpcStatus(ToGrpcStatus(OkStatus())).ok());
}

TEST(GrpcStatus, KeepsWhatGrpcItselfSays) {
  const Status received = FromGrpcStatus(grpc::Status(grpc::StatusCode::UNAVAILABLE, "connection refused"));
  EXPECT_EQ(received.code(), StatusCode::kUnavailable);
  EXPECT_EQ(received.message(), "connection refused");
}

}  // namespace
}  // namespace fleetmark
