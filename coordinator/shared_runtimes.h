#pragma once

#include <memory>

#include "fleetmark/v1/agent.pb.h"

namespace fleetmark {

using Runtimes = google::protobuf::RepeatedPtrField<v1::Runtime>;

// What a machine can run is nearly all of its description, a quarter of a megabyte in memory, and the same on many
// machines: they share one copy. Returns the one that equals `runtimes`. Thread-safe.
std::shared_ptr<const Runtimes> ShareRuntimes(Runtimes runtimes);

}  // namespace fleetmark
