#pragma once

#include <string>

#include "coordinator/cli/render/terminal.h"
#include "fleetmark/v1/coordinator.pb.h"

namespace fleetmark {

// A leaderboard as people read it: what is measured, the rows, why some are flagged, and notes on those that are
// published, derived, unranked, without an interval or share a rank.
std::string RenderLeaderboard(const v1::Leaderboard& board, const Terminal& terminal);

// How one number moved: oldest first, each with its change against the point before.
std::string RenderHistory(const v1::History& history, const Terminal& terminal, double now_unix_s);

}  // namespace fleetmark
