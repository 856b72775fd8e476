#pragma once

#include "common/evidence.h"
#include "common/machine_view.h"

namespace fleetmark {

// Whether a device says that it was held back, and who else was on the machine; for a machine with telemetry.
void CheckMachine(const MachineView& machine, Evidence* evidence);

}  // namespace fleetmark
