#pragma once

#include "common/status.h"

namespace fleetmark {

// To be called in a catch block: the exception as a failure of the run in one sentence, without LibTorch's C++
// backtrace. Memory that could not be had, on the host or on a GPU, is "out_of_memory"; everything unforeseen is
// "internal"; a RunFailure is what it carries.
Status CurrentExceptionAsFailure();

}  // namespace fleetmark
