#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "common/status.h"
#include "fleetmark/v1/workload.pb.h"

namespace fleetmark::agent {

// The runner of each runtime: those named, the Python ones as set up in `runtimes_directory`, and "libtorch" as
// fleetmark-worker beside this program, where none is named.
std::map<std::string, std::filesystem::path> RunnerPaths(const std::map<std::string, std::string>& named,
                                                         const std::filesystem::path& runtimes_directory);

// Asks every runner what it can do, all at once. One that cannot be used is listed with the reason.
std::vector<v1::Runtime> DescribeRunners(const std::map<std::string, std::filesystem::path>& runners);

}  // namespace fleetmark::agent
