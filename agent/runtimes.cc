#include "agent/runtimes.h"

#include <algorithm>

#include "agent/subprocess.h"
#include "common/files.h"
#include "common/suggest.h"

namespace fleetmark::agent {
namespace {

constexpr double kInstallTimeoutS = 3600;  // gigabytes on a slow line
constexpr char kDriver[] = "/proc/driver/nvidia/version";

// The packages of a framework, with those of its CUDA build where an NVIDIA driver is there.
std::vector<std::string> Packages(const char* plain, const char* with_cuda, const char* besides) {
  std::vector<std::string> packages = {std::filesystem::exists(kDriver) ? with_cuda : plain};
  packages.emplace_back("numpy==2.4.6");
  if (*besides != '\0') packages.emplace_back(besides);
  return packages;
}

Status RunStep(const std::vector<std::string>& words, const std::string& what, const std::string& hint) {
  SubprocessRequest request;
  request.words = words;
  request.timeout_s = kInstallTimeoutS;
  FLEETMARK_ASSIGN_OR_RETURN(const SubprocessResult result, RunSubprocess(request));
  if (result.exit_code == 0) return OkStatus();
  return Unavailable(what + " failed with exit code " + std::to_string(result.exit_code) + ": " + result.error_tail,
                     hint);
}

Status InstallPackages(const PythonRuntime& runtime, const std::filesystem::path& place, const AddRuntimeRequest& to) {
  std::string list;
  for (const std::string& package : runtime.packages) list += " " + package;
  to.say("making an environment in " + place.string());
  FLEETMARK_RETURN_IF_ERROR(RunStep({"python3", "-m", "venv", "--clear", place.string()}, "python3 -m venv",
                                    "install Debian's python3-venv"));
  to.say("installing" + list + ", which takes minutes");
  std::vector<std::string> words = {place / "bin/python",         "-m", "pip", "install", "--quiet", "--no-input",
                                    "--disable-pip-version-check"};
  words.insert(words.end(), runtime.packages.begin(), runtime.packages.end());
  return RunStep(words, "pip install" + list, "see that PyPI can be reached, or use packages at hand: --python PATH");
}

// Quoted for sh.
std::string Quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace

const std::vector<PythonRuntime>& PythonRuntimes() {
  static const std::vector<PythonRuntime> runtimes = {
      {"keras-jax", "Keras on JAX", Packages("jax==0.10.2", "jax[cuda12]==0.10.2", "keras==3.15.0")},
      {"keras-tensorflow", "Keras on TensorFlow",
       Packages("tensorflow==2.21.0", "tensorflow[and-cuda]==2.21.0", "keras==3.15.0")},
      {"pytorch", "PyTorch, eagerly or compiled", Packages("torch==2.13.0", "torch==2.13.0", "")},
  };
  return runtimes;
}

std::filesystem::path RuntimeRunner(const std::filesystem::path& runtimes_directory, const std::string& name) {
  return runtimes_directory / name / "runner";
}

Status AddRuntime(const AddRuntimeRequest& request) {
  std::vector<std::string> names;
  const PythonRuntime* runtime = nullptr;
  for (const PythonRuntime& known : PythonRuntimes()) {
    names.push_back(known.name);
    if (known.name == request.name) runtime = &known;
  }
  if (runtime == nullptr) {
    return InvalidArgument("there is no runtime \"" + request.name + "\" to add", SuggestFrom(request.name, names));
  }
  const std::filesystem::path script = request.runners / "fleetmark_runner.py";
  if (!std::filesystem::exists(script)) {
    return FailedPrecondition(script.string() + " is not there", "build fleetmark-worker, which it learns from");
  }
  const std::filesystem::path runner = RuntimeRunner(request.runtimes_directory, request.name);
  const std::filesystem::path place = runner.parent_path() / "environment";
  std::error_code error;
  std::filesystem::remove(runner, error);
  FLEETMARK_RETURN_IF_ERROR(MakeDirectory(runner.parent_path(), false));
  if (request.python.empty()) FLEETMARK_RETURN_IF_ERROR(InstallPackages(*runtime, place, request));
  const std::filesystem::path python = request.python.empty() ? place / "bin/python" : request.python;
  request.say("importing it");
  FLEETMARK_RETURN_IF_ERROR(
      RunStep({python, script, request.name, "describe"}, request.name,
              request.python.empty() ? "add it once more" : "install it there, or leave --python away"));
  const std::string text =
      "#!/bin/sh\nexec " + Quoted(python) + " " + Quoted(script) + " " + request.name + " \"$@\"\n";
  FLEETMARK_RETURN_IF_ERROR(WriteFileAtomically(runner, text));
  std::filesystem::permissions(runner, std::filesystem::perms::owner_exec | std::filesystem::perms::group_exec,
                               std::filesystem::perm_options::add, error);
  if (error) return Internal("cannot make " + runner.string() + " executable: " + error.message());
  request.say(request.name + " is set up in " + runner.parent_path().string() + "; restart the agent to offer it");
  return OkStatus();
}

}  // namespace fleetmark::agent
