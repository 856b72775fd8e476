#pragma once

#include <string>
#include <string_view>

#include "common/status.h"

namespace fleetmark {

// The versions of the protocol between agents, coordinators and command lines that somebody speaks.
struct ProtocolRange {
  int min = 0;
  int max = 0;
};

// This build's: the newest version and the one before it, so that the machines of a fleet are upgraded one by one, in
// any order. What may be left out is a feature (below) or a field that the other side may ignore; a version is what
// changes the meaning of what is there.
//   1  the first one
//   2  callers of CoordinatorService say in their metadata what they speak; who does not is of version 1
inline constexpr ProtocolRange kThisProtocol = {1, 2};

// What this program speaks: kThisProtocol. Defined in a file of its own, in whose place tests of version skew link
// another.
ProtocolRange SpokenProtocols();

// The metadata in which a caller of CoordinatorService says what it speaks, as "1-2".
inline constexpr char kProtocolMetadata[] = "fleetmark-protocol";
std::string FormatProtocols(const ProtocolRange& range);
StatusOr<ProtocolRange> ParseProtocols(std::string_view text);

// Somebody who speaks, as a sentence names it: kCoordinatorSide, "agent lab-1 (0.1.0)".
inline constexpr char kCoordinatorSide[] = "the coordinator";
inline constexpr char kCommandLineSide[] = "fleetmark, the command line";
struct ProtocolSide {
  std::string name;
  ProtocolRange range;
};

// The newest version that both speak. FAILED_PRECONDITION, kind "protocol", when there is none: its hint names the
// older side, which is to be upgraded.
StatusOr<int> NegotiateProtocol(const ProtocolSide& here, const ProtocolSide& there);

// Features that a StartRun may require. What an older agent would silently ignore is one.
inline constexpr char kProfileSettingsFeature[] = "profile_settings";
inline constexpr char kTelemetryFeature[] = "telemetry";

}  // namespace fleetmark
