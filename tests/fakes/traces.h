#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fleetmark/v1/run.pb.h"

// Made-up runs for which the right verdict is known: step times and telemetry as real runs show them, with one fault
// put in. From a seed alone.
namespace fleetmark {

struct Fault {
  const char* name;  // "clean" for none
  const char* kind;  // the verdict that is right, and the causes that are, separated by '|'
  const char* causes;
};
// The clean one first.
const std::vector<Fault>& Faults();

// A run of that fault: machine, length, noise, autocorrelation, warm-up, sensors and the fault's place and size are
// drawn from `seed`. Without a verdict.
v1::Result MakeTrace(const Fault& fault, uint64_t seed);

// Whether the verdict is the right one; for a clean run that is OK.
bool IsRight(const Fault& fault, const v1::Verdict& verdict);

}  // namespace fleetmark
