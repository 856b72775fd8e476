#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/worker/known_ceilings.h"
#include "common/status.h"
#include "common/vocabulary.h"

namespace fleetmark {

// The worker's form of run.proto's RunSpec, whose comments are normative.
struct RunSpec {
  std::string workload;
  int workload_version = 0;  // 0: whichever there is
  std::string runtime;
  std::string device = "cpu";
  std::string profile = kStockProfile;
  std::map<std::string, std::string> parameters;
  std::string dataset_dir;
  std::vector<Ceiling> ceilings;
};

// Reads the proto JSON form. Fails with "bad_parameter" for text that is not JSON, an unknown field or a wrong type.
StatusOr<RunSpec> ParseRunSpec(std::string_view json);

}  // namespace fleetmark
