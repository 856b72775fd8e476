#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "agent/agent_settings.h"
#include "agent/data_sets.h"
#include "agent/verbs.h"

namespace fleetmark::agent {
namespace {

struct DataArguments {
  AgentSettings values;
  Settings settings;
  std::string name;
  std::string from;
};

Status Add(const DataArguments& arguments) {
  AddDataSetRequest request;
  request.name = arguments.name;
  request.dataset_directory = arguments.values.dataset_dir;
  request.from = arguments.from;
  request.say = [](const std::string& line) { std::printf("%s\n", line.c_str()), std::fflush(stdout); };
  return AddDataSet(request);
}

void List(const DataArguments& arguments) {
  for (const DataSetState& state : ListDataSets(arguments.values.dataset_dir)) {
    const std::string place =
        state.is_complete ? "in " + state.directory.string() : "not there: fleetmark-agent data add " + state.name;
    std::printf("%-8s %s; %s\n", state.name.c_str(), state.doc.c_str(), place.c_str());
  }
}

}  // namespace

void AddDataVerb(CLI::App* app, int* exit_code) {
  CLI::App* verb = app->add_subcommand("data", "Data sets of this machine");
  verb->require_subcommand(1);
  const auto add = std::make_shared<DataArguments>();
  CLI::App* add_verb = verb->add_subcommand("add", "Fetch a data set and verify it");
  add_verb->add_option("NAME", add->name, "mnist")->required();
  add_verb->add_option("--from", add->from,
                       "Directory with the files at hand, plain or gzip, instead of fetching them");
  add->values.AddDatasetDir(&add->settings);
  add->settings.AddTo(add_verb);
  add_verb->callback([add, exit_code] {
    Status status = add->settings.Resolve();
    if (status.ok()) status = Add(*add);
    *exit_code = ReportStatus(status);
  });
  const auto list = std::make_shared<DataArguments>();
  CLI::App* list_verb = verb->add_subcommand("list", "What can be added, and what is there");
  list->values.AddDatasetDir(&list->settings);
  list->settings.AddTo(list_verb);
  list_verb->callback([list, exit_code] {
    const Status status = list->settings.Resolve();
    if (status.ok()) List(*list);
    *exit_code = ReportStatus(status);
  });
}

}  // namespace fleetmark::agent
