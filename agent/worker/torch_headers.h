#pragma once

// What the worker needs of LibTorch, in one place: its headers cost a compiler many seconds a file, so they are precompiled
// (CMakeLists.txt) and no other header includes them. ATen alone, without torch::nn and its thousands of templates.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <torch/cuda.h>

namespace fleetmark {

// "cpu" or "cuda:1", which are names that LibTorch knows as well.
inline at::Device TorchDevice(const std::string& name) { return at::Device(name); }

}  // namespace fleetmark
