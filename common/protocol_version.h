#pragma once

namespace fleetmark {

// The range of agent and CLI protocol versions that this build speaks.
inline constexpr int kProtocolMin = 1;
inline constexpr int kProtocolMax = 1;

}  // namespace fleetmark
