#pragma once

#include <string>
#include <vector>

namespace fleetmark {

// A GPU as its driver describes it.
struct CudaGpu {
  std::string model;
  std::string uuid;  // "GPU-xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
  double memory_bytes = 0;
};

// Every GPU that CUDA shows to this process, in CUDA's order; empty without a driver. Asks libcuda.so.1, which is
// opened at run time, so that nothing needs CUDA headers or a driver to be built or started.
std::vector<CudaGpu> ListCudaGpus();

}  // namespace fleetmark
