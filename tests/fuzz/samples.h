#pragma once

#include <string>

#include "agent/admission.h"
#include "fleetmark/v1/agent.pb.h"
#include "fleetmark/v1/run.pb.h"

// Messages that are right, for inputs to change.
namespace fleetmark::fuzz {

inline constexpr int64_t kSampleBoottimeNs = 1'000'000'000'000;
inline constexpr const char* kSampleBoot = "boot";

// One runtime with one workload, two devices.
v1::Runtime SampleRuntime();
agent::Offer SampleOffer();
// Of an agent that calls itself so, with SampleRuntime.
v1::AgentDescription SampleDescription(const std::string& name);
// For SampleOffer; to be started within 30 s of kSampleBoottimeNs.
v1::StartRunRequest SampleStart(const std::string& attempt_id);
v1::Fence SampleFence(int epoch, double seq);
// Of a run that went well.
v1::AttemptReport SampleReport(const std::string& attempt_id);

}  // namespace fleetmark::fuzz
