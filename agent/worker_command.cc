#include "agent/worker_command.h"

#include <cstdlib>

#include "agent/process_table.h"
#include "common/host_info.h"
#include "common/proto_json.h"
#include "common/vocabulary.h"
#include "common/worker_protocol.h"

namespace fleetmark::agent {
namespace {

// Where programs and libraries are, and which devices this agent may use.
constexpr const char* kPassedOn[] = {"PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES"};

std::string ParameterOr(const v1::RunSpec& spec, const std::string& name, const std::string& otherwise) {
  const auto found = spec.parameters().find(name);
  return found == spec.parameters().end() ? otherwise : found->second;
}

// What was asked for; else the tuned profile, and whoever pins threads, takes every physical core and the stock one
// what the runtime takes ("0").
std::string Threads(const v1::RunSpec& spec, bool is_pinned) {
  const std::string asked = ParameterOr(spec, "threads", "0");
  if (asked != "0" || (spec.profile() != kTunedProfile && !is_pinned)) return asked;
  static const int physical_cores = ReadHostInfo().physical_cores;
  return std::to_string(physical_cores);
}

}  // namespace

std::vector<std::string> RunnerEnvironment() {
  std::vector<std::string> environment = {"LANG=C.UTF-8"};
  for (const char* name : kPassedOn) {
    if (const char* value = std::getenv(name)) environment.push_back(std::string(name) + "=" + value);
  }
  return environment;
}

WorkerCommand MakeWorkerCommand(const std::filesystem::path& runner, const v1::RunSpec& spec,
                                const std::string& attempt_id, const MachineInput& machine,
                                const std::filesystem::path& work_directory) {
  WorkerCommand command;
  command.program = runner;
  command.arguments = {"run"};
  command.environment = RunnerEnvironment();
  command.environment.push_back(std::string(kAttemptVariable) + "=" + attempt_id);
  const auto set = [&command](const char* name, const std::string& value) {
    command.environment.push_back(std::string(name) + "=" + value);
  };
  const std::string pinning = ParameterOr(spec, "pinning", kNoPinning);
  if (pinning != kNoPinning) {
    set(kBindVariable, pinning);
    set(kPlacesVariable, kPlaces);
  }
  if (const std::string threads = Threads(spec, pinning != kNoPinning); threads != "0") set(kThreadsVariable, threads);
  const std::string allocator = ParameterOr(spec, "allocator", spec.profile() == kTunedProfile ? "retain" : "stock");
  if (allocator == "retain") set(kGlibcTunablesVariable, kRetainTunables);
  v1::RunSpec input = spec;
  input.set_dataset_dir(machine.dataset_dir);
  input.mutable_ceilings()->Assign(machine.ceilings.begin(), machine.ceilings.end());
  command.input = ToJson(input);
  command.directory = work_directory;
  return command;
}

}  // namespace fleetmark::agent
