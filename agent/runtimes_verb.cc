#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "agent/agent_settings.h"
#include "agent/runtimes.h"
#include "agent/verbs.h"
#include "common/files.h"

namespace fleetmark::agent {
namespace {

struct RuntimesArguments {
  AgentSettings values;
  Settings settings;
  std::string name;
  std::string python;
};

Status Add(const RuntimesArguments& arguments) {
  AddRuntimeRequest request;
  request.name = arguments.name;
  request.runtimes_directory = std::filesystem::absolute(arguments.values.runtimes_dir);
  request.runners = ProgramDirectory() / "runners";
  if (!arguments.python.empty()) request.python = std::filesystem::absolute(arguments.python);
  request.say = [](const std::string& line) { std::printf("%s\n", line.c_str()), std::fflush(stdout); };
  return AddRuntime(request);
}

void List(const RuntimesArguments& arguments) {
  for (const PythonRuntime& runtime : PythonRuntimes()) {
    const bool is_there = std::filesystem::exists(RuntimeRunner(arguments.values.runtimes_dir, runtime.name));
    const std::string place = is_there ? "set up" : "not set up: fleetmark-agent runtimes add " + runtime.name;
    std::printf("%-16s %s; %s\n", runtime.name.c_str(), runtime.doc.c_str(), place.c_str());
  }
}

}  // namespace

void AddRuntimesVerb(CLI::App* app, int* exit_code) {
  CLI::App* verb = app->add_subcommand("runtimes", "Frameworks that workloads can run in beside LibTorch");
  verb->require_subcommand(1);
  const auto add = std::make_shared<RuntimesArguments>();
  CLI::App* add_verb = verb->add_subcommand("add", "Set one up in an environment of its own, from PyPI");
  add_verb->add_option("NAME", add->name, "pytorch, keras-tensorflow or keras-jax")->required();
  add_verb->add_option("--python", add->python, "Use the packages of this Python instead of installing any")
      ->check(CLI::ExistingFile.description(""));
  add->values.AddRuntimesDir(&add->settings);
  add->settings.AddTo(add_verb);
  add_verb->callback([add, exit_code] {
    Status status = add->settings.Resolve();
    if (status.ok()) status = Add(*add);
    *exit_code = ReportStatus(status);
  });
  const auto list = std::make_shared<RuntimesArguments>();
  CLI::App* list_verb = verb->add_subcommand("list", "What can be added, and what is set up");
  list->values.AddRuntimesDir(&list->settings);
  list->settings.AddTo(list_verb);
  list_verb->callback([list, exit_code] {
    const Status status = list->settings.Resolve();
    if (status.ok()) List(*list);
    *exit_code = ReportStatus(status);
  });
}

}  // namespace fleetmark::agent
