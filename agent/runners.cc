#include "agent/runners.h"

#include <unistd.h>

#include <algorithm>
#include <future>
#include <utility>

#include "agent/runtimes.h"
#include "agent/subprocess.h"
#include "agent/worker_command.h"
#include "common/files.h"
#include "common/proto_json.h"
#include "common/vocabulary.h"

namespace fleetmark::agent {
namespace {

constexpr double kDescribeTimeoutS = 60;  // importing a Python framework from a cold disk
constexpr size_t kDescribeBytes = size_t{4} << 20;

bool IsPythonRuntime(const std::string& name) {
  const std::vector<PythonRuntime>& runtimes = PythonRuntimes();
  return std::any_of(runtimes.begin(), runtimes.end(), [&name](const auto& known) { return known.name == name; });
}

std::string WhyNotExecutable(const std::string& name, const std::filesystem::path& path) {
  if (access(path.c_str(), X_OK) == 0 && !std::filesystem::is_directory(path)) return "";
  if (path.filename() == "runner" && !std::filesystem::exists(path) && IsPythonRuntime(name)) {
    return "it is not set up; fleetmark-agent runtimes add " + name;
  }
  const std::string reason =
      path.string() + (access(path.c_str(), F_OK) == 0 ? " cannot be executed" : " does not exist");
  return reason +
         (name == kOwnRuntime
              ? "; build it with LibTorch (cmake -DFLEETMARK_TORCH=auto), or name another with --runner libtorch=PATH"
              : "; check --runner " + name + "=PATH");
}

Status Describe(const std::string& name, const std::filesystem::path& path, v1::RunnerDescription* description) {
  SubprocessRequest request;
  request.words = {path.string(), "describe"};
  request.environment = RunnerEnvironment();
  request.timeout_s = kDescribeTimeoutS;
  request.max_output_bytes = kDescribeBytes;
  FLEETMARK_ASSIGN_OR_RETURN(const SubprocessResult result, RunSubprocess(request));
  if (result.exit_code != 0) {
    return FailedPrecondition("`" + path.string() + " describe` ended with exit code " +
                              std::to_string(result.exit_code) +
                              (result.error_tail.empty() ? "" : ": " + result.error_tail));
  }
  FLEETMARK_RETURN_IF_ERROR(FromJson(result.output, description, "what `" + path.string() + " describe` prints"));
  if (description->runtime() != name) {
    return FailedPrecondition(path.string() + " is a runner for \"" + description->runtime() + "\", not for \"" + name +
                              "\"");
  }
  return OkStatus();
}

v1::Runtime DescribeRunner(const std::string& name, const std::filesystem::path& path) {
  v1::Runtime runtime;
  runtime.set_name(name);
  runtime.set_unavailable(WhyNotExecutable(name, path));
  if (!runtime.unavailable().empty()) return runtime;
  if (const Status status = Describe(name, path, runtime.mutable_description()); !status.ok()) {
    runtime.clear_description();
    runtime.set_unavailable(status.ToString());
  }
  return runtime;
}

// One device has one UUID, whichever runtime looks at it: those that cannot tell take it from those that can,
// fleetmark-worker first, and where none can it is the device's name.
void FillUuids(std::vector<v1::Runtime>* runtimes) {
  std::map<std::string, std::string> uuids;
  const auto learn = [&uuids](const v1::Runtime& runtime) {
    for (const v1::Device& device : runtime.description().devices()) {
      if (!device.uuid().empty()) uuids.emplace(device.name(), device.uuid());
    }
  };
  for (const v1::Runtime& runtime : *runtimes) {
    if (runtime.name() == kOwnRuntime) learn(runtime);
  }
  for (const v1::Runtime& runtime : *runtimes) learn(runtime);
  for (v1::Runtime& runtime : *runtimes) {
    for (v1::Device& device : *runtime.mutable_description()->mutable_devices()) {
      if (!device.uuid().empty()) continue;
      const auto known = uuids.find(device.name());
      device.set_uuid(known == uuids.end() ? device.name() : known->second);
    }
  }
}

}  // namespace

std::map<std::string, std::filesystem::path> RunnerPaths(const std::map<std::string, std::string>& named,
                                                         const std::filesystem::path& runtimes_directory) {
  std::map<std::string, std::filesystem::path> paths;
  paths[kOwnRuntime] = ProgramDirectory() / "fleetmark-worker";
  for (const PythonRuntime& runtime : PythonRuntimes()) {
    paths[runtime.name] = RuntimeRunner(std::filesystem::absolute(runtimes_directory), runtime.name);
  }
  for (const auto& [name, path] : named) paths[name] = std::filesystem::absolute(path);
  return paths;
}

std::vector<v1::Runtime> DescribeRunners(const std::map<std::string, std::filesystem::path>& runners) {
  std::vector<std::future<v1::Runtime>> pending;
  for (const auto& [name, path] : runners)
    pending.push_back(std::async(std::launch::async, DescribeRunner, name, path));
  std::vector<v1::Runtime> runtimes;
  for (auto& future : pending) runtimes.push_back(future.get());
  FillUuids(&runtimes);
  return runtimes;
}

}  // namespace fleetmark::agent
