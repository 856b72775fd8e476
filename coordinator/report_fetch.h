#pragma once

#include <functional>
#include <memory>
#include <string>

#include "coordinator/effects.h"
#include "coordinator/event.h"
#include "fleetmark/v1/agent.grpc.pb.h"

namespace fleetmark {

// Fetches the report whose hash `call` names, checks it, and then the log if the report says that there is one. `done`
// gets the outcome once, from a gRPC thread; it is destroyed when nothing else of the fetch is left. Returns what ends
// it early.
std::function<void()> StartFetch(std::shared_ptr<v1::AgentService::Stub> stub, const FetchCall& call,
                                 std::function<void(Fetched)> done);

}  // namespace fleetmark
