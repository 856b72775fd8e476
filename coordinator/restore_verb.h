#pragma once

#include <string>

#include "common/status.h"

namespace CLI {
class App;
}

namespace fleetmark {

// `fleetmark-coordinator restore FILE --state-dir DIR`.
struct RestoreVerb {
  std::string file;  // "" when the verb was not chosen
  int at_least_epoch = 0;

  void AddTo(CLI::App* app);
  Status Run(const std::string& state_dir) const;
};

}  // namespace fleetmark
