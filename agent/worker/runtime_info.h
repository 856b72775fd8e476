#pragma once

#include <map>
#include <string>

#include "common/status.h"

namespace fleetmark {

// Of the LibTorch that is loaded: "2.13.0".
std::string RuntimeVersion();

// The libraries that do the work: "mkl", "onednn", "blas", "openmp", "cpu_capability", "cudnn", where there.
std::map<std::string, std::string> LibraryVersions();

// Fails with "unsupported" when matrix products would go to the reference BLAS, which is tens of times slower than the
// machine: such a number must not be published.
Status CheckBlas();

// Makes LibTorch use `threads` threads within an operation; 0: one a physical core that this process may use. Returns
// how many it uses now. Before the first operation.
int SetThreads(int threads);

}  // namespace fleetmark
