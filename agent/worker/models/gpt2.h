#pragma once

#include <vector>

#include "agent/worker/models/network.h"

namespace fleetmark {

// A transformer that predicts the next token, in the shape of the smallest GPT-2: 12 blocks of 12 heads and width 768,
// pre-normalised, GELU (tanh), learned positions, the vocabulary of 50257 tokens, whose embedding is the output layer
// as well; no dropout. Its input is tokens, batch x context, int64; its output the logarithms of the next tokens'
// probabilities, batch * context x vocabulary. 124,439,808 parameters at a context of 1024, 768 fewer a token less.
class Gpt2 : public Network {
 public:
  enum class Attention {
    kFused,     // LibTorch's kernel that never writes the context x context products to memory
    kSeparate,  // one operation after another
  };
  static constexpr int64_t kVocabulary = 50257;

  Gpt2(at::Device device, int64_t context, Attention attention);

  // Whether this LibTorch has the fused kernel.
  static bool HasFusedAttention();

  at::Tensor Forward(const at::Tensor& tokens, bool training) const override;

 private:
  static constexpr int64_t kWidth = 768, kHeads = 12;
  static constexpr int kBlocks = 12;

  struct Norm {
    at::Tensor weight, bias;
    at::Tensor operator()(const at::Tensor& x) const;
  };
  struct Block {
    Norm norm1;
    Layer qkv, project;
    Norm norm2;
    Layer widen, narrow;
  };
  Norm MakeNorm();
  at::Tensor Attend(const Block& block, const at::Tensor& x) const;

  const int64_t context_;
  const Attention attention_;
  at::Tensor mask_;  // of what lies in the future, context x context; for kSeparate alone
  at::Tensor tokens_, positions_;
  std::vector<Block> blocks_;
  Norm last_;
};

}  // namespace fleetmark
