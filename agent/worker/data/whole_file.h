#pragma once

#include <filesystem>
#include <string>

#include "common/status.h"

namespace fleetmark {

// The bytes of a file. Fails with "data_missing" where it cannot be opened or read.
StatusOr<std::string> ReadWholeFile(const std::filesystem::path& path);

}  // namespace fleetmark
