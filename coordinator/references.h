#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/status.h"

namespace fleetmark {

// One published number from elsewhere. Shown beside ours, never mixed into our statistics.
struct Reference {
  std::string workload;
  std::string system;
  std::string device_kind;  // "cpu", "gpu"; "" when it was not published
  std::string device;       // the model; "" when it was not published
  std::string runtime;
  std::string metric;
  std::string unit;
  double value = 0;
  bool is_derived = false;  // computed from other published numbers; `note` says how
  std::string note;
  std::string source;  // where it was published
};

// Reads every <workload>.csv of `directory`, sorted by name: comment lines (the first names the source), a header,
// rows. A file has a row a number (columns system, metric, value, unit, ...), or a row a call (columns script, call and
// one for each metric), which becomes the article's mean over the calls after the second, and the first call apart.
// Numbers that follow from a published one are added as derived. A malformed line is INVALID_ARGUMENT with its place.
StatusOr<std::vector<Reference>> ReadReferences(const std::filesystem::path& directory);

}  // namespace fleetmark
