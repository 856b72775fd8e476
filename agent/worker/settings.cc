#include "agent/worker/settings.h"

#include <limits>
#include <utility>

namespace fleetmark {

std::vector<ParameterSpec> LoopParameters(const LoopDefaults& defaults) {
  constexpr double kMostSteps = 1e9;
  return {
      {.name = "steps",
       .type = "int",
       .default_value = std::to_string(defaults.steps),
       .min = 0,
       .max = kMostSteps,
       .unit = "steps",
       .doc = "stop after this many measured steps; 0: no such limit"},
      {.name = "duration_s",
       .type = "double",
       .default_value = CanonicalDouble(defaults.duration_s),
       .min = 0,
       .max = 7 * 86400,
       .unit = "s",
       .doc = "stop after this much measured time; 0: no such limit"},
      {.name = "until_ci",
       .type = "double",
       .default_value = "0",
       .min = 0,
       .max = 0.5,
       .doc = "stop when the 95 % interval of the rate is within this share of it (0.01: 1 %); 0: do not"},
      {.name = "warmup",
       .type = "int",
       .default_value = std::to_string(defaults.warmup),
       .min = 1,
       .max = 1e6,
       .unit = "steps",
       .doc = "steps left out of the measurement, the first call included"},
      {.name = "threads",
       .type = "int",
       .default_value = "0",
       .min = 0,
       .max = 4096,
       .unit = "threads",
       .doc = "CPU threads within an operation; 0: one a physical core that this process may use",
       .tunable = true},
      {.name = "pinning",
       .type = "choice",
       .default_value = "none",
       .choices = {"none", "close", "spread"},
       .doc = "close, spread: OpenMP binds each CPU thread to a core, next to or far from the others",
       .tunable = true},
      {.name = "allocator",
       .type = "choice",
       .default_value = "stock",
       .choices = {"stock", "retain"},
       .doc = "retain: glibc keeps freed blocks instead of giving them back to the kernel after each step",
       .tunable = true},
  };
}

ParameterSpec SeedParameter() {
  return {.name = "seed",
          .type = "int",
          .default_value = "1",
          .min = 0,
          .max = std::numeric_limits<int32_t>::max(),
          .doc = "of initialisation, shuffling, dropout and synthetic data"};
}

ParameterSpec BatchParameter(int default_value, int max) {
  return {.name = "batch",
          .type = "int",
          .default_value = std::to_string(default_value),
          .min = 1,
          .max = double(max),
          .unit = "samples",
          .doc = "samples in a training step",
          .defines_board = true};
}

ParameterSpec DtypeParameter(std::vector<std::string> choices) {
  std::string first = choices.front();
  return {.name = "dtype",
          .type = "choice",
          .default_value = std::move(first),
          .choices = std::move(choices),
          .doc =
              "number format that the device computes in, parameters staying fp32; tf32: fp32 rounded in matrix "
              "products, CUDA only",
          .defines_board = true};
}

ParameterSpec MemoryFormatParameter() {
  return {.name = "memory_format",
          .type = "choice",
          .default_value = "contiguous",
          .choices = {"contiguous", "channels_last"},
          .doc = "order of the dimensions of images in memory",
          .tunable = true};
}

ParameterSpec EpochsParameter(int default_value) {
  return {.name = "epochs",
          .type = "int",
          .default_value = std::to_string(default_value),
          .min = 1,
          .max = 1000,
          .unit = "epochs",
          .doc = "stop after this many epochs of training"};
}

ParameterSpec KernelsParameter(const std::string& fused) {
  return {.name = "kernels",
          .type = "choice",
          .default_value = "aten",
          .choices = {"aten", "fused"},
          .doc = "aten: LibTorch's operations; fused: our own for " + fused + ", CPU only",
          .tunable = true};
}

ParameterSpec CifarDataParameter() {
  return {.name = "data",
          .type = "choice",
          .default_value = "synthetic",
          .choices = {"synthetic", "cifar10"},
          .doc = "synthetic: images made by seed; cifar10: the real data, in its binary form, of the dataset directory",
          .defines_board = true};
}

std::map<std::string, std::map<std::string, std::string>> ChannelsLastTuning() {
  return {{"cpu", {{"allocator", "retain"}, {"kernels", "fused"}, {"memory_format", "channels_last"}}},
          {"cuda", {{"allocator", "retain"}, {"memory_format", "channels_last"}}}};
}

std::vector<ParameterSpec> Merge(std::vector<ParameterSpec> own, std::vector<ParameterSpec> shared) {
  for (ParameterSpec& spec : shared) own.push_back(std::move(spec));
  return own;
}

}  // namespace fleetmark
