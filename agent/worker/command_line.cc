#include "agent/worker/command_line.h"

#include <algorithm>

#include "agent/worker/failure.h"
#include "common/suggest.h"

namespace fleetmark {

const char kHelpText[] = R"(fleetmark-worker executes one benchmark run and exits.

  fleetmark-worker describe              what can be run here, as JSON
  fleetmark-worker run WORKLOAD ...      run it; events go to standard output as JSON Lines
  fleetmark-worker run                   the same, with a RunSpec (run.proto) as JSON on standard input

  --set NAME=VALUE      a parameter of the workload; may be repeated
  --device DEVICE       cpu (default), cuda:0, ...
  --profile PROFILE     stock (default): as a plain PyTorch script would run; tuned: the fastest settings
                        that leave the computation the same
  --dataset-dir DIR     where data sets are kept: DIR/mnist/train-images-idx3-ubyte, ...
  --help  --version

FLEETMARK_EVENT_FD names another file descriptor for the events.
Exit codes: 0 a result was written; 101 bad parameter, 102 device not available, 103 out of memory, 104 data
missing, 105 data corrupt, 106 training diverged, 107 internal, 108 not supported here.
)";

namespace {

Status SetParameter(const std::string& assignment, RunSpec* spec) {
  const size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) {
    return BadParameter("--set " + assignment + " is not NAME=VALUE");
  }
  const std::string name = assignment.substr(0, equals);
  if (!spec->parameters.emplace(name, assignment.substr(equals + 1)).second) {
    return BadParameter("--set " + name + " is given twice");
  }
  return OkStatus();
}

Status SetOption(const std::string& option, const std::string& value, RunSpec* spec) {
  if (option == "--set") return SetParameter(value, spec);
  if (option == "--device") {
    spec->device = value;
  } else if (option == "--profile") {
    spec->profile = value;
  } else {
    spec->dataset_dir = value;
  }
  return OkStatus();
}

StatusOr<CommandLine> ParseRun(const std::vector<std::string>& arguments) {
  const std::vector<std::string> options = {"--set", "--device", "--profile", "--dataset-dir"};
  if (arguments.size() == 1) return CommandLine{CommandLine::Verb::kRun};
  RunSpec spec;
  for (size_t i = 1; i < arguments.size(); ++i) {
    std::string option = arguments[i];
    if (!option.starts_with("-")) {
      if (!spec.workload.empty()) {
        return BadParameter("one workload can be run at a time, not " + spec.workload + " and " + option);
      }
      spec.workload = option;
      continue;
    }
    std::optional<std::string> value;
    if (const size_t equals = option.find('='); equals != std::string::npos) {
      value = option.substr(equals + 1);
      option.resize(equals);
    }
    if (std::find(options.begin(), options.end(), option) == options.end()) {
      return BadParameter("fleetmark-worker run has no option " + option, SuggestFrom(option, options));
    }
    if (!value && i + 1 == arguments.size()) return BadParameter("option " + option + " needs a value");
    FLEETMARK_RETURN_IF_ERROR(SetOption(option, value ? *value : arguments[++i], &spec));
  }
  if (spec.workload.empty()) {
    return BadParameter("no workload is named", "fleetmark-worker describe lists them");
  }
  return CommandLine{CommandLine::Verb::kRun, spec};
}

}  // namespace

StatusOr<CommandLine> ParseCommandLine(const std::vector<std::string>& arguments) {
  if (arguments.empty()) return BadParameter("nothing was asked for", "fleetmark-worker --help");
  for (const std::string& argument : arguments) {
    if (argument == "--help" || argument == "-h" || argument == "help") return CommandLine{CommandLine::Verb::kHelp};
  }
  const std::string& verb = arguments.front();
  if (verb == "run") return ParseRun(arguments);
  if (verb == "describe" || verb == "--version") {
    if (arguments.size() > 1) return BadParameter(verb + " takes no argument \"" + arguments[1] + "\"");
    return CommandLine{verb == "describe" ? CommandLine::Verb::kDescribe : CommandLine::Verb::kVersion};
  }
  return BadParameter("fleetmark-worker has no command \"" + verb + "\"",
                      SuggestFrom(verb, {"describe", "run", "--help", "--version"}));
}

}  // namespace fleetmark
