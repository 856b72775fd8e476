#include <ATen/ops/randint.h>

#include "agent/worker/device.h"
#include "agent/worker/failure.h"
#include "agent/worker/fixed_batch.h"
#include "agent/worker/models/gpt2.h"
#include "agent/worker/optim/adam.h"
#include "agent/worker/settings.h"
#include "agent/worker/training.h"

// The training step of a small language model, on random tokens that lie on the device.
namespace fleetmark::transformer_lm {
namespace {

class TransformerLm : public Workload {
 public:
  Status SetUp(const RunSetup& setup) override {
    constexpr double kLearningRate = 3e-4;
    const Parameters& parameters = setup.parameters;
    device_ = setup.device;
    context_ = parameters.Int("context");
    const at::Device device = TorchDevice(device_);
    const int64_t batch = parameters.Int("batch");
    const bool is_fused = parameters.Text("attention") == "fused";
    if (is_fused && !Gpt2::HasFusedAttention()) {
      return Unsupported("attention=fused needs LibTorch 2", "take attention=separate");
    }
    FLEETMARK_RETURN_IF_ERROR(BeginTraining(parameters, device));
    auto network =
        std::make_unique<Gpt2>(device, context_, is_fused ? Gpt2::Attention::kFused : Gpt2::Attention::kSeparate);
    auto optimizer = std::make_unique<Adam>(network->parameters(), OptimizerOptions(parameters, kLearningRate));
    const at::Tensor text = at::randint(Gpt2::kVocabulary, {batch, context_ + 1}, at::kLong).to(device);
    training_.emplace(FixedBatch::Parts{std::move(network), std::move(optimizer),
                                        text.narrow(1, 0, context_).contiguous(),
                                        text.narrow(1, 1, context_).reshape({-1}), parameters.Text("dtype")});
    Synchronize();
    return OkStatus();
  }

  int64_t Step() override {
    training_->Step();
    return training_->samples();
  }
  void Synchronize() override { SynchronizeDevice(device_); }
  double LossSoFar() override { return training_->Loss(); }

  void RecordMetrics(const LoopResult& loop, MetricRecorder* recorder) const override {
    const auto context = static_cast<double>(context_);
    recorder->RecordRate("tokens_per_s", context * static_cast<double>(loop.samples) / loop.measured_s,
                         context * static_cast<double>(training_->samples()), loop.step_s);
    training_->RecordMetrics(loop, recorder);
  }

 private:
  std::string device_;
  int64_t context_ = 0;
  std::optional<FixedBatch> training_;
};

}  // namespace

WorkloadDefinition Define() {
  return {
      .name = "transformer_lm",
      .version = 1,
      .doc = "trains a language model in the shape of the smallest GPT-2, 124,439,808 parameters, on random tokens",
      .parameters =
          Merge({BatchParameter(1, 1024),
                 {.name = "context",
                  .type = "int",
                  .default_value = "1024",
                  .min = 1,
                  .max = 8192,
                  .unit = "tokens",
                  .doc = "length of a sample",
                  .defines_board = true},
                 {.name = "attention",
                  .type = "choice",
                  .default_value = Gpt2::HasFusedAttention() ? "fused" : "separate",
                  .choices = {"separate", "fused"},
                  .doc = "separate: one operation after another; fused: LibTorch's kernel for all, from 2.0 on",
                  .tunable = true},
                 KernelsParameter("Adam"),
                 DtypeParameter(),
                 SeedParameter()},
                LoopParameters({.duration_s = 30, .warmup = 2})),
      .metrics = {"tokens_per_s", "tflop_per_s", "ceiling_share", "loss", "parameters_total", "parameters_trainable"},
      .device_kinds = {"cpu", "cuda"},
      .tuned = {{"cpu", {{"allocator", "retain"}, {"kernels", "fused"}}}, {"cuda", {{"allocator", "retain"}}}},
      .create = []() -> std::unique_ptr<Workload> { return std::make_unique<TransformerLm>(); },
  };
}

}  // namespace fleetmark::transformer_lm
