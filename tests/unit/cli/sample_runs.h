#pragma once

#include <string>

#include "fleetmark/v1/coordinator.pb.h"

namespace fleetmark {

// 2026-11-21 14:00:00 UTC.
inline constexpr double kSampleNow = 1795269600;

// A run of mnist_cnn on "lab-3" that has the given state and nothing else; ids are `id` filled up to full length.
v1::RunInfo SampleRun(const std::string& id, const std::string& state);

// One that succeeded, with everything a result can hold.
v1::RunInfo SampleSuccess(const std::string& id);

// The same, throttled by heat.
v1::RunInfo SampleThrottled(const std::string& id);

// One whose worker found no data: failure, hint, an attempt with a stderr tail.
v1::RunInfo SampleFailure(const std::string& id);

// What a search for the fastest settings found, with a candidate of every verdict.
v1::TunedProfile SampleProfile();

// A board with a measured row, a published one, a derived one, a flagged one of either kind and two that share a rank.
v1::Leaderboard SampleLeaderboard();

}  // namespace fleetmark
