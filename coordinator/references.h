#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/status.h"
#include "fleetmark/v1/coordinator.pb.h"
#include "fleetmark/v1/run.pb.h"

namespace fleetmark {

struct PublishedCall {
  int script = 0;  // from 1: one start of the program
  int call = 0;    // from 1, within the script
  double value = 0;
};

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
  // Where every call was published: all of this metric, those that the mean leaves out too.
  std::vector<PublishedCall> calls;
  // What the article says of this row against the one of another device: "159x" (times as fast), "85 %" (less time).
  std::string claim;
  std::string claim_against;  // that device
  // From what was published with it; without a kind where nothing speaks against it.
  v1::Verdict verdict;
};

// Reads every <workload>.csv of `directory`, sorted by name: comment lines (the first names the source), a header,
// rows. A file has a row a number (columns system, metric, value, unit, ...), or a row a call (columns script, call and
// one for each metric), which becomes the article's mean over the calls after the second, and the first call apart.
// Numbers that follow from a published one are added as derived. A comment "# Says: 159x for METRIC of DEVICE against
// DEVICE" is the article's own comparison of two rows. A malformed line, a number that is none and a column that
// nothing reads are INVALID_ARGUMENT with their place.
//
// A row a number may carry evidence: `throttled_by`, what its author says it was throttled by ("heat"), makes it
// THROTTLED; `rated_gb_per_s`, the memory bandwidth that the card is specified for, makes it IMPLAUSIBLE when the
// value, a rate of steps that move `gb_per_it` each, would take more. GB are 1e9 bytes.
StatusOr<std::vector<Reference>> ReadReferences(const std::filesystem::path& directory);

// As callers get it.
v1::Reference ToProto(const Reference& reference);

}  // namespace fleetmark
