#pragma once

#include <filesystem>

#include "agent/worker/data/image_source.h"

namespace fleetmark {

// A JPEG or PNG file, told apart by its first bytes, as red, green and blue. Fails with "data_corrupt", or with
// "unsupported" where this worker was built without the library that reads the format.
StatusOr<ColourImage> ReadImageFile(const std::filesystem::path& path);

}  // namespace fleetmark
