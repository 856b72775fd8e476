#pragma once

#include <map>
#include <string>
#include <vector>

#include "agent/worker/parameters.h"

namespace fleetmark {

// The settings that workloads share, declared here once. A workload lists those that it obeys and no other.

// When to stop, how much to warm up, threads, pinning and allocator: every workload obeys these.
struct LoopDefaults {
  int steps = 0;          // 0: no limit
  double duration_s = 0;  // 0: no limit
  int warmup = 1;
};
std::vector<ParameterSpec> LoopParameters(const LoopDefaults& defaults);

ParameterSpec SeedParameter();
ParameterSpec BatchParameter(int default_value, int max);
// The first is the default.
ParameterSpec DtypeParameter(std::vector<std::string> choices = {"fp32", "tf32", "bf16", "fp16"});
ParameterSpec MemoryFormatParameter();
ParameterSpec EpochsParameter(int default_value);
ParameterSpec KernelsParameter(const std::string& fused);  // what our own kernels do: "pooling and ReLU"
ParameterSpec CifarDataParameter();

// What profile `tuned` sets for a network of convolutions whose own kernels take channels last.
std::map<std::string, std::map<std::string, std::string>> ChannelsLastTuning();

// Several lists as one.
std::vector<ParameterSpec> Merge(std::vector<ParameterSpec> own, std::vector<ParameterSpec> shared);

}  // namespace fleetmark
