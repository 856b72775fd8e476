#pragma once

#include <memory>

#include "coordinator/agent_calls.h"

namespace fleetmark {

// AgentCalls over gRPC: unary calls and fetches by the callback API, so that a thousand long polls hold no thread.
// Every unary call has a deadline. `insecure` allows addresses beyond loopback. The destructor ends all calls and waits
// for the last answer.
std::unique_ptr<AgentCalls> MakeDispatcher(bool insecure);

}  // namespace fleetmark
