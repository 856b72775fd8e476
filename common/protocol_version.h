#pragma once

namespace fleetmark {

// The range of agent and CLI protocol versions that this build speaks.
inline constexpr int kProtocolMin = 1;
inline constexpr int kProtocolMax = 1;

// Features that a StartRun may require. What an older agent would silently ignore is one.
inline constexpr char kProfileSettingsFeature[] = "profile_settings";
inline constexpr char kTelemetryFeature[] = "telemetry";

}  // namespace fleetmark
