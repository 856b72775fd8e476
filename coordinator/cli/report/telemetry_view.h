#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/telemetry.h"
#include "fleetmark/v1/run.pb.h"

namespace fleetmark {

// The series of that name, or null where it was not sampled, or never with a value.
const v1::TelemetrySeries* FindSeries(const v1::Telemetry& telemetry, const telemetry::SeriesName& name);

// Mean of what is known of a series while the run was measured; nothing where none is.
std::optional<double> MeanWhileMeasured(const v1::Telemetry& telemetry, const telemetry::SeriesName& name);

// One sentence for each sensor that is not ok: "nvml is forbidden: ...".
std::vector<std::string> SensorProblems(const v1::Telemetry& telemetry);

}  // namespace fleetmark
