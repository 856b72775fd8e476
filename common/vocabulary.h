#pragma once

#include <string>
#include <vector>

#include "common/status.h"

// The words that people see and filter by, once each. They travel as text.
namespace fleetmark {

// The runtime that is ours: fleetmark-worker.
inline constexpr char kOwnRuntime[] = "libtorch";

// How a workload is set up: as a plain script of its framework would run it, or with the fastest settings that leave
// the computation the same.
inline constexpr char kStockProfile[] = "stock";
inline constexpr char kTunedProfile[] = "tuned";
inline const std::vector<std::string> kProfiles = {kStockProfile, kTunedProfile};

// How far a result may be trusted. One that is flagged, all but the first two, has evidence against it and no rank.
inline const std::vector<std::string> kVerdicts = {"UNCHECKED", "OK",         "NOISY",
                                                   "THROTTLED", "INTERFERED", "IMPLAUSIBLE"};
bool IsFlagged(const std::string& verdict);
// The flagged ones, the gravest first: where several things speak against a result, this decides what it is called.
inline const std::vector<std::string> kVerdictsByGravity = {"IMPLAUSIBLE", "THROTTLED", "INTERFERED", "NOISY"};

// What a ceiling is of: gb_per_s is a rate of the first, tflop_per_s of the second.
inline constexpr char kMemoryResource[] = "memory";
inline constexpr char kArithmeticResource[] = "arithmetic";

// What is sampled beside a run: all the time, nothing, or in alternating blocks that tell what sampling costs.
inline constexpr char kTelemetryOn[] = "on";
inline constexpr char kTelemetryOff[] = "off";
inline constexpr char kTelemetryAlternating[] = "alternating";
inline const std::vector<std::string> kTelemetryModes = {kTelemetryOn, kTelemetryOff, kTelemetryAlternating};

// In the order of coordinator/records.h.
inline const std::vector<std::string> kRunStates = {"queued",    "running",   "succeeded",  "failed",
                                                    "cancelled", "timed_out", "interrupted"};

// Refuses a word that is not one of `known`: "there is no profile "tuend"", with the nearest as the hint.
Status CheckWord(const std::string& what, const std::string& word, const std::vector<std::string>& known);

}  // namespace fleetmark
