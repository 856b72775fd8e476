#pragma once

#include "common/status.h"
#include "fleetmark/v1/cli.pb.h"

namespace fleetmark {

// A failed Status as --json prints it.
v1::ErrorInfo ToErrorInfo(const Status& status);

}  // namespace fleetmark
