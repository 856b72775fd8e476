#pragma once

#include <optional>
#include <string>

#include "fleetmark/v1/run.pb.h"

namespace fleetmark {

// What is known of a published number beside itself.
struct PublishedEvidence {
  std::optional<double> rated_gb_per_s;  // memory bandwidth that the card is specified for, 1e9 bytes a second
  std::optional<double> gb_per_it;       // what one step reads and writes at least, 1e9 bytes
  std::string throttled_by;              // what its author says held it back: "heat"
};

// The verdict of a published number `value`, in steps a second where `gb_per_it` is known. IMPLAUSIBLE where it needs
// more than the card is specified for, else THROTTLED where its author says so; without a kind where nothing speaks
// against it: nobody saw it run.
v1::Verdict JudgePublished(double value, const PublishedEvidence& evidence);

}  // namespace fleetmark
