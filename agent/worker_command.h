#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "agent/worker_process.h"
#include "fleetmark/v1/run.pb.h"

namespace fleetmark::agent {

// What a spec does not carry, since it is this machine's: whatever it says of these is overwritten.
struct MachineInput {
  std::string dataset_dir;
  std::vector<v1::Ceiling> ceilings;
};

// How a runner is started for one run. Its environment is minimal and the same whoever started the agent; nothing of
// the job reaches its command line, and of its environment only what must be set before a program starts: threads,
// their pinning, and the allocator.
WorkerCommand MakeWorkerCommand(const std::filesystem::path& runner, const v1::RunSpec& spec,
                                const std::string& attempt_id, const MachineInput& machine,
                                const std::filesystem::path& work_directory);

// The environment that every runner gets, also for `describe`.
std::vector<std::string> RunnerEnvironment();

}  // namespace fleetmark::agent
