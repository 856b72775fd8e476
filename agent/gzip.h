#pragma once

#include <string>

#include "common/status.h"

namespace fleetmark::agent {

// `bytes` unpacked when they are gzip, else as they are. DATA_LOSS, naming `what`, when they are cut or damaged, and
// when they unpack to more than `max_bytes`.
StatusOr<std::string> GunzipIfPacked(std::string bytes, size_t max_bytes, const std::string& what);

}  // namespace fleetmark::agent
