#include <CLI/CLI.hpp>
#include <cstdio>

#include "agent/verbs.h"
#include "common/build_info.h"

namespace fleetmark::agent {

void AddVersionVerb(CLI::App* app, int* exit_code) {
  app->add_subcommand("version", "Print the version")->callback([exit_code] {
    const BuildInfo& info = GetBuildInfo();
    std::printf("fleetmark-agent %s (%s, %s, %s)\n", std::string(info.version).c_str(),
                std::string(info.git_revision).c_str(), std::string(info.build_type).c_str(),
                std::string(info.compiler).c_str());
    *exit_code = 0;
  });
}

}  // namespace fleetmark::agent
