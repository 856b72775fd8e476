#pragma once

#include <string_view>

namespace fleetmark {

struct BuildInfo {
  std::string_view version;
  std::string_view git_revision;
  std::string_view build_type;
  std::string_view compiler;
};
const BuildInfo& GetBuildInfo();

}  // namespace fleetmark
