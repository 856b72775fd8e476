#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "common/status.h"

namespace fleetmark::agent {

// A runtime that is a Python framework: agent/runners/fleetmark_runner.py in an environment of its own.
struct PythonRuntime {
  std::string name;
  std::string doc;
  std::vector<std::string> packages;  // pinned, from PyPI
};

// All there are, sorted by name.
const std::vector<PythonRuntime>& PythonRuntimes();

// The program that executes the runtime `name` once it is set up in `runtimes_directory`; its being there says so.
std::filesystem::path RuntimeRunner(const std::filesystem::path& runtimes_directory, const std::string& name);

struct AddRuntimeRequest {
  std::string name;
  std::filesystem::path runtimes_directory;
  std::filesystem::path runners;  // the directory of fleetmark_runner.py
  std::filesystem::path python;   // whose packages are used as they are; empty: an environment of its own is made
  std::function<void(const std::string&)> say;  // progress, one line each
};
// Makes the environment, installs the packages, and sees that the framework can be imported. What is there already is
// made anew. Until all of it is done the runtime stays as it was not set up.
Status AddRuntime(const AddRuntimeRequest& request);

}  // namespace fleetmark::agent
