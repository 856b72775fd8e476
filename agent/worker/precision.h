#pragma once

#include <string>

#include "agent/worker/parameters.h"
#include "agent/worker/torch_headers.h"

// What the parameter `dtype` means to LibTorch.
namespace fleetmark {

// The elements that `dtype` asks for; tf32 is a way to multiply those of fp32.
at::ScalarType ScalarTypeOf(const std::string& dtype);

// Whether CUDA may round fp32 to tf32; takes effect on the whole process.
void SetMatrixPrecision(const std::string& dtype);

// Training in bf16 or fp16 as torch.autocast does it: parameters stay fp32, and while this lives the operations of its
// thread that gain by it compute in 16 bits. Does nothing for fp32 and tf32.
class Autocast {
 public:
  Autocast(at::Device device, const std::string& dtype);
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;
  ~Autocast();

 private:
  const at::DeviceType device_;
  const bool is_on_;
};

// Refuses a `dtype` that `device` would emulate in minutes: fp16 arithmetic on the CPU.
Status CheckArithmetic(at::Device device, const std::string& dtype);

// What the loss is multiplied by before the backward pass, and gradients are divided by after it: in fp16 small ones
// would vanish (arXiv:1710.03740). A constant, where torch.amp.GradScaler adapts; 1 for the other formats.
double LossScale(const std::string& dtype);

}  // namespace fleetmark
