#include "agent/worker/models/gpt2.h"

#include <ATen/ops/embedding.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>
#include <torch/version.h>
#if TORCH_VERSION_MAJOR >= 2
#include <ATen/ops/scaled_dot_product_attention.h>
#endif

#include <cmath>
#include <limits>

namespace fleetmark {
bool Gpt2::HasFusedAttention() { return TORCH_VERSION_MAJOR >= 2; }

Gpt2::Gpt2(at::Device device, int64_t context, Attention attention)
    : Network(Init::kGpt2, device, at::MemoryFormat::Contiguous), context_(context), attention_(attention) {
  constexpr double kDeviation = 0.02;
  if (attention == Attention::kSeparate) {
    mask_ = at::ones({context, context}, at::TensorOptions().device(device).dtype(at::kBool)).triu(1);
  }
  tokens_ = AddParameter(at::empty({kVocabulary, kWidth}).normal_(0, kDeviation));
  positions_ = AddParameter(at::empty({context, kWidth}).normal_(0, kDeviation));
  for (int i = 0; i < kBlocks; ++i) {
    Block block;
    block.norm1 = MakeNorm();
    block.qkv = MakeLayer({3 * kWidth, kWidth}, {context});
    block.project = MakeLayer({kWidth, kWidth}, {context});
    block.norm2 = MakeNorm();
    block.widen = MakeLayer({4 * kWidth, kWidth}, {context});
    block.narrow = MakeLayer({kWidth, 4 * kWidth}, {context});
    const at::NoGradGuard no_grad;
    for (Layer* residual : {&block.project, &block.narrow}) residual->weight.div_(std::sqrt(2.0 * kBlocks));
    blocks_.push_back(block);
  }
  last_ = MakeNorm();
  const auto length = static_cast<double>(context);
  // Of each token with itself and those before it: its query by their keys, and the result by their values.
  CountProducts(kBlocks * 2 * kWidth * length * (length + 1) / 2);
  CountProducts(length * kVocabulary * kWidth);  // the output layer
}

Gpt2::Norm Gpt2::MakeNorm() { return {AddParameter(at::ones({kWidth})), AddParameter(at::zeros({kWidth}))}; }

at::Tensor Gpt2::Norm::operator()(const at::Tensor& x) const { return at::layer_norm(x, {kWidth}, weight, bias); }

at::Tensor Gpt2::Attend(const Block& block, const at::Tensor& x) const {
  const at::Tensor qkv = at::linear(x, block.qkv.weight, block.qkv.bias);
  const auto heads = [&](int64_t which) {
    return qkv.narrow(2, which * kWidth, kWidth).view({x.size(0), context_, kHeads, kWidth / kHeads}).transpose(1, 2);
  };
  const at::Tensor query = heads(0), key = heads(1), value = heads(2);
  at::Tensor seen;
#if TORCH_VERSION_MAJOR >= 2
  if (attention_ == Attention::kFused) seen = at::scaled_dot_product_attention(query, key, value, {}, 0, true);
#endif
  if (!seen.defined()) {
    const double scale = 1 / std::sqrt(static_cast<double>(kWidth) / kHeads);
    const at::Tensor products = at::matmul(query, key.transpose(2, 3)).mul(scale);
    const at::Tensor weights = at::softmax(products.masked_fill(mask_, -std::numeric_limits<double>::infinity()), 3);
    seen = at::matmul(weights, value);
  }
  const at::Tensor joined = seen.transpose(1, 2).reshape({x.size(0), context_, kWidth});
  return at::linear(joined, block.project.weight, block.project.bias);
}

at::Tensor Gpt2::Forward(const at::Tensor& tokens, bool /*training*/) const {
  at::Tensor x = at::add(at::embedding(tokens_, tokens), positions_);
  for (const Block& block : blocks_) {
    x = at::add(x, Attend(block, block.norm1(x)));
    const at::Tensor wide = at::gelu(at::linear(block.norm2(x), block.widen.weight, block.widen.bias), "tanh");
    x = at::add(x, at::linear(wide, block.narrow.weight, block.narrow.bias));
  }
  const at::Tensor logits = at::matmul(last_(x), tokens_.t());
  return at::log_softmax(logits.view({-1, kVocabulary}), 1);
}

}  // namespace fleetmark
