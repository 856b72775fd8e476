#pragma once

// What the worker needs of LibTorch, in one place. The whole of it, torch/torch.h or even ATen/ATen.h, costs a compiler
// ten seconds a file and more; the operations that are really called cost two. No header of ours but those of models,
// kernels and optimizers includes it.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/add.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/flatten.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/nll_loss.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randperm.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <torch/cuda.h>

namespace fleetmark {

// "cpu" or "cuda:1", which are names that LibTorch knows as well.
inline at::Device TorchDevice(const std::string& name) { return at::Device(name); }

}  // namespace fleetmark
