#pragma once

#include <grpcpp/impl/service_type.h>

#include <memory>

namespace fleetmark {

class Coordinator;

// CoordinatorService in front of the handlers in rpc/. `coordinator` must outlive it.
std::unique_ptr<grpc::Service> MakeCoordinatorService(Coordinator* coordinator);

}  // namespace fleetmark
