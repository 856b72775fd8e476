#include <algorithm>

#include "agent/worker/ceiling.h"
#include "agent/worker/clock_seconds.h"
#include "agent/worker/data/batch_loader.h"
#include "agent/worker/device.h"
#include "agent/worker/failure.h"
#include "agent/worker/models/image_cnn.h"
#include "agent/worker/optim/adam.h"
#include "agent/worker/precision.h"
#include "agent/worker/run_loop.h"
#include "agent/worker/settings.h"
#include "agent/worker/torch_headers.h"
#include "agent/worker/training.h"
#include "agent/worker/workload.h"

// "TensorFlow 2 - CPU vs GPU Performance Comparison": colour images of 256 x 256 through an augmenting pipeline, 153
// batches of 64 an epoch, 10 epochs.
namespace fleetmark::image_cnn_58m {
namespace {

constexpr double kLearningRate = 1e-3;
constexpr int64_t kClasses = 4;
constexpr int kSide = 256;
constexpr char kFolder[] = "images";
// Of a folder's images every fifth is for validation; of synthetic ones there are a quarter more, up to this.
constexpr int64_t kFolds = 5, kMostSyntheticValidation = 256;
// Batches that lie ready, beside those that threads are at.
constexpr int kReady = 4;

StatusOr<std::unique_ptr<ImageSource>> OpenSource(const RunSetup& setup) {
  const Parameters& parameters = setup.parameters;
  if (parameters.Text("data") == "synthetic") {
    const int64_t images = parameters.Int("images");
    const int64_t validation = std::min((images + 3) / 4, kMostSyntheticValidation);
    return MakeSyntheticSource(images + validation, kSide, kClasses, static_cast<uint32_t>(parameters.Int("seed")));
  }
  if (setup.dataset_dir.empty()) {
    return DataMissing("there is no dataset directory to find a folder of images in",
                       "start the agent with --dataset-dir, or take data=synthetic");
  }
  return OpenImageFolder(setup.dataset_dir + "/" + kFolder, kClasses);
}

class ImageCnn58m : public Workload {
 public:
  Status SetUp(const RunSetup& setup) override {
    const Parameters& parameters = setup.parameters;
    const at::Device device = TorchDevice(setup.device);
    FLEETMARK_RETURN_IF_ERROR(BeginTraining(parameters, device));
    const auto seed = static_cast<uint32_t>(parameters.Int("seed"));
    batch_ = parameters.Int("batch");
    device_ = setup.device;
    FLEETMARK_ASSIGN_OR_RETURN(source_, OpenSource(setup));
    data_ = {{"name", source_->data_name()}, {"sha256", source_->sha256()}};
    FLEETMARK_RETURN_IF_ERROR(MakeLoaders(parameters, seed));
    format_ = MemoryFormatOf(parameters);
    dtype_ = parameters.Text("dtype");
    network_ = std::make_unique<ImageCnn>(device, format_);
    optimizer_ = std::make_unique<Adam>(network_->parameters(), OptimizerOptions(parameters, kLearningRate));
    Synchronize();
    return OkStatus();
  }

  int64_t StepsPerEpoch() const override { return loader_->batches_per_epoch(); }
  void BeginEpoch() override { answers_.Clear(); }

  int64_t Step() override {
    const double asked = ClockSeconds(CLOCK_MONOTONIC);
    ImageBatch loaded = TakeNext(loader_.get());
    data_wait_s_.push_back(ClockSeconds(CLOCK_MONOTONIC) - asked);
    const ImageTensors batch = Upload(&loaded);
    const auto forward = [&] { return network_->Forward(batch.pixels, true); };
    answers_.Keep(TrainOnBatch(forward, batch.labels, dtype_, optimizer_.get()).output, batch.labels);
    return batch_;
  }

  void Synchronize() override { SynchronizeDevice(device_); }

  EpochScore EndEpoch() override {
    const at::NoGradGuard no_grad;
    EpochAnswers validation;
    for (int64_t i = 0; i < validation_->batches_per_epoch(); ++i) {
      ImageBatch loaded = TakeNext(validation_.get());
      const ImageTensors batch = Upload(&loaded);
      validation.Keep(network_->Forward(batch.pixels, false), batch.labels);
    }
    EpochScore score = answers_.Score();
    const EpochScore seen = validation.Score();
    score.val_loss = seen.loss;
    score.val_accuracy = seen.accuracy;
    return score;
  }

  double LossSoFar() override { return *answers_.Score().loss; }

  void RecordMetrics(const LoopResult& loop, MetricRecorder* recorder) const override {
    recorder->RecordTimes("step_s", loop.measured_s / static_cast<double>(loop.steps), loop.step_s);
    if (!loop.epochs.empty()) {
      const std::vector<double> epoch_s = EpochTimes(loop);
      recorder->RecordTimes("epoch_s", Summarize(epoch_s).mean, epoch_s);
    }
    if (loop.stop_reason == "epochs") recorder->Record("total_s", loop.total_s);
    recorder->RecordRate("samples_per_s", static_cast<double>(loop.samples) / loop.measured_s,
                         static_cast<double>(batch_), loop.step_s);
    const std::vector<double> waits(data_wait_s_.end() - loop.steps, data_wait_s_.end());
    recorder->RecordTimes("data_wait_s", Summarize(waits).mean, waits);
    RecordFlops(loop, network_->TrainingFlops() * static_cast<double>(batch_), TorchDevice(device_), dtype_, recorder);
    RecordScores(loop, recorder);
    RecordParameterCounts(*network_, recorder);
  }

  std::map<std::string, std::string> Data() const override { return data_; }

  std::vector<std::string> Notes() const override {
    const int64_t broken = loader_->broken() + validation_->broken();
    if (broken == 0) return {};
    std::vector<std::string> notes = {std::to_string(broken) + " of " + std::to_string(source_->size()) +
                                      " images could not be read; others took their places"};
    for (const BatchLoader* loader : {loader_.get(), validation_.get()}) {
      for (std::string& why : loader->broken_examples()) notes.push_back(std::move(why));
    }
    return notes;
  }

 private:
  Status MakeLoaders(const Parameters& parameters, uint32_t seed) {
    const auto threads = static_cast<int>(parameters.Int("loader_threads"));
    const bool is_synthetic = parameters.Text("data") == "synthetic";
    std::vector<int64_t> training, validation;
    for (int64_t i = 0; i < source_->size(); ++i) {
      const bool is_held_out = is_synthetic ? i >= parameters.Int("images") : i % kFolds == 0;
      (is_held_out ? validation : training).push_back(i);
    }
    const auto count = static_cast<int64_t>(training.size());
    if (count < batch_ || validation.empty()) {
      return BadParameter("batch=" + std::to_string(batch_) +
                              " needs at least as many images to train on, and there are " + std::to_string(count),
                          "set batch lower or give more images");
    }
    BatchLoader::Options options = {.batch = batch_,
                                    .side = kSide,
                                    .threads = threads,
                                    .prefetch = threads + kReady,
                                    .augment = true,
                                    .seed = seed};
    loader_ = std::make_unique<BatchLoader>(*source_, std::move(training), options);
    options.batch = std::min<int64_t>(batch_, static_cast<int64_t>(validation.size()));
    options.threads = 1;
    options.prefetch = 1;
    options.augment = false;
    validation_ = std::make_unique<BatchLoader>(*source_, std::move(validation), options);
    return OkStatus();
  }

  static ImageBatch TakeNext(BatchLoader* loader) {
    StatusOr<ImageBatch> batch = loader->Next();
    if (!batch.ok()) throw RunFailure(batch.status());
    return *std::move(batch);
  }

  // The batch on the device, in the network's memory format.
  ImageTensors Upload(ImageBatch* batch) const {
    const auto count = static_cast<int64_t>(batch->labels.size());
    const at::Device device = TorchDevice(device_);
    const at::Tensor pixels = at::from_blob(batch->pixels.data(), {count, kSide, kSide, 3}, at::kFloat);
    const at::Tensor labels = at::from_blob(batch->labels.data(), {count}, at::kLong);
    return {pixels.permute({0, 3, 1, 2}).to(device, at::kFloat, false, true, format_),
            labels.to(device, at::kLong, false, true)};
  }

  std::string device_, dtype_;
  int64_t batch_ = 0;
  at::MemoryFormat format_ = at::MemoryFormat::Contiguous;
  std::map<std::string, std::string> data_;
  std::unique_ptr<ImageSource> source_;
  std::unique_ptr<BatchLoader> loader_, validation_;
  std::unique_ptr<ImageCnn> network_;
  std::unique_ptr<Adam> optimizer_;
  std::vector<double> data_wait_s_;  // of each step
  EpochAnswers answers_;
};

}  // namespace

WorkloadDefinition Define() {
  return {
      .name = "image_cnn_58m",
      .version = 1,
      .doc = "trains a published Keras network, 58,091,396 parameters, on augmented images of 256 x 256",
      .parameters = Merge({EpochsParameter(10),
                           {.name = "data",
                            .type = "choice",
                            .default_value = "synthetic",
                            .choices = {"synthetic", "folder"},
                            .doc = "synthetic: images made by seed; folder: JPEG and PNG images in "
                                   "DATASET_DIR/images/CLASS/, of two to four classes",
                            .defines_board = true},
                           {.name = "images",
                            .type = "int",
                            .default_value = "9792",
                            .min = 1,
                            .max = 1e7,
                            .unit = "images",
                            .doc = "in an epoch of synthetic data; 9792 are the published 153 batches of 64"},
                           {.name = "loader_threads",
                            .type = "int",
                            .default_value = "2",
                            .min = 1,
                            .max = 256,
                            .unit = "threads",
                            .doc = "that read, decode and augment images beside the training",
                            .tunable = true},
                           BatchParameter(64, 1024),
                           KernelsParameter("Adam"),
                           DtypeParameter(),
                           MemoryFormatParameter(),
                           SeedParameter()},
                          LoopParameters({.warmup = 3})),
      .metrics = {"step_s", "epoch_s", "total_s", "samples_per_s", "data_wait_s", "tflop_per_s", "ceiling_share",
                  "loss", "accuracy", "val_loss", "val_accuracy", "parameters_total", "parameters_trainable"},
      .device_kinds = {"cpu", "cuda"},
      .tuned = ChannelsLastTuning(),
      .create = []() -> std::unique_ptr<Workload> { return std::make_unique<ImageCnn58m>(); },
  };
}

}  // namespace fleetmark::image_cnn_58m
