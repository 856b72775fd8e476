#pragma once

#include <string>
#include <vector>

#include "common/status.h"

namespace fleetmark {

// A device that workloads can run on; the worker's form of workload.proto's Device.
struct DeviceInfo {
  std::string name;  // "cpu", "cuda:0"
  std::string kind;  // "cpu", "cuda"
  std::string model;
  std::string uuid;  // "GPU-..." as nvidia-smi prints it; the name where the hardware has none
  double memory_bytes = 0;
};

// The CPU, then every CUDA device that this LibTorch can use, in its order.
std::vector<DeviceInfo> ListDevices();

// The one called `name`. Fails with "device_unavailable", naming those that are there or saying why CUDA is not.
StatusOr<DeviceInfo> FindDevice(const std::string& name);

// Refuses what would hold more bytes than the machine has: Linux grants memory that it does not have and kills whoever
// uses it, so a workload asks before. Nothing for a GPU, which refuses by itself. `who` begins the sentence.
Status CheckHostMemory(const std::string& device, double bytes, const std::string& who, const std::string& hint);

// Returns when `device` has done everything queued on it; at once on the CPU.
void SynchronizeDevice(const std::string& device);

}  // namespace fleetmark
