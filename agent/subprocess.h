#pragma once

#include <string>
#include <vector>

#include "common/status.h"

namespace fleetmark::agent {

struct SubprocessRequest {
  std::vector<std::string> words;        // program (looked up in PATH) and arguments; no shell reads them
  std::vector<std::string> environment;  // NAME=VALUE; empty: this process's own
  std::string directory;                 // "" for the current one
  double timeout_s = 60;
  size_t max_output_bytes = size_t{16} << 20;
};
struct SubprocessResult {
  int exit_code = 0;       // 128 + signal when it was killed by one
  std::string output;      // stdout
  std::string error_tail;  // the last lines of stderr
};

// Runs a program to its end. Fails when it cannot be started, takes too long or writes too much; it and its process
// group are killed then. Thread-safe.
StatusOr<SubprocessResult> RunSubprocess(const SubprocessRequest& request);

}  // namespace fleetmark::agent
