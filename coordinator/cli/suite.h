#pragma once

#include <string>
#include <vector>

#include "common/status.h"
#include "fleetmark/v1/coordinator.pb.h"

namespace fleetmark {

// Several jobs under one name.
struct Suite {
  std::string name;
  std::string doc;
  std::vector<v1::SubmitRequest> jobs;
};

// Those of deploy/suites, which are part of the program.
std::vector<std::string> SuiteNames();

// One of them, or the file that `name` says when it ends in .toml:
//
//   doc = "what it is for"
//   [[job]]
//   workload = "mnist_cnn"
//   set = { epochs = 1 }
//   on = ["all"]  # also: device, runtime, profile, telemetry, repeat, retries, timeout, priority, note
//
// What is wrong in a file is named with its line, an unknown key with the nearest that there is.
StatusOr<Suite> LoadSuite(const std::string& name);

}  // namespace fleetmark
