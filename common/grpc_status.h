#pragma once

#include <grpcpp/support/status.h>

#include <string>

#include "common/status.h"

namespace fleetmark {

// One to one by code; kind and hint travel as a serialized Failure in the error details, so that both ends speak of the
// same error.
grpc::Status ToGrpcStatus(const Status& status);
Status FromGrpcStatus(const grpc::Status& status);

}  // namespace fleetmark
