#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "agent/worker/kernels/matrix_product.h"
#include "agent/worker/run_loop.h"
#include "agent/worker/torch_headers.h"
#include "agent/worker/workload.h"

namespace fleetmark {
namespace {

const WorkloadDefinition& Find(const std::string& name) {
  for (const WorkloadDefinition& definition : AllWorkloads()) {
    if (definition.name == name) return definition;
  }
  throw std::runtime_error("no workload " + name);
}

class SilentObserver : public LoopObserver {
 public:
  void OnPhase(const char*) override {}
  bool OnSteps(int64_t, double) override { return true; }
  void OnEpoch(const TrainingEpoch& epoch) override { scores.push_back(epoch.score); }
  std::vector<EpochScore> scores;
};

struct Outcome {
  std::vector<EpochScore> scores;
  std::map<std::string, double> metrics;
  std::vector<std::string> notes;
  std::vector<std::string> metric_notes;
  std::vector<Ceiling> ceilings;  // compared with
};

// What no run passes, so that nothing is measured but the run.
const KnownCeilings& HighCeilings() {
  static const KnownCeilings ceilings(
      {{"memory", "", 1e30, 7}, {"arithmetic", "fp32", 1e30, 7}, {"arithmetic", "bf16", 1e30, 7}});
  return ceilings;
}

Outcome Execute(const std::string& name, const std::map<std::string, std::string>& given,
                const KnownCeilings& ceilings = HighCeilings()) {
  const WorkloadDefinition& definition = Find(name);
  const auto parameters = Parameters::Parse(definition.parameters, given);
  EXPECT_TRUE(parameters.ok()) << parameters.status().message();
  const auto workload = definition.create();
  const Status status = workload->SetUp({*parameters, "cpu", ""});
  EXPECT_TRUE(status.ok()) << status.message();
  StopRules rules = StopRules::FromParameters(*parameters, workload->StepsPerEpoch());
  SilentObserver observer;
  const auto loop =
      RunLoop(workload.get(), {.warmup_steps = parameters->Int("warmup")}, &rules, MonotonicClock(), &observer);
  EXPECT_TRUE(loop.ok()) << loop.status().message();
  MetricRecorder recorder(ceilings);
  workload->RecordMetrics(*loop, &recorder);
  Outcome outcome = {observer.scores, {}, workload->Notes(), recorder.notes(), recorder.ceilings().compared()};
  for (const MetricValue& metric : recorder.metrics()) {
    outcome.metrics[std::string(metric.definition->name)] = metric.value;
  }
  // What is recorded was announced.
  std::set<std::string> announced(definition.metrics.begin(), definition.metrics.end());
  for (const auto& [metric, value] : outcome.metrics) EXPECT_TRUE(announced.count(metric)) << metric;
  EXPECT_EQ(recorder.metrics().front().definition->name, definition.metrics.front());
  return outcome;
}

std::map<std::string, std::string> ShortTraining(const char* kernels) {
  return {{"data", "synthetic"}, {"epochs", "1"}, {"kernels", kernels}};
}

class MnistCnnTest : public testing::TestWithParam<const char*> {};

TEST_P(MnistCnnTest, LearnsTheSameForTheSameSeedAndCountsItsParameters) {
  at::set_num_threads(1);  // several threads wait for each other spinning, which takes for ever beside other tests
  const Outcome first = Execute("mnist_cnn", ShortTraining(GetParam()));
  ASSERT_EQ(first.scores.size(), 1u);
  EXPECT_GT(*first.scores[0].val_accuracy, 0.9);
  EXPECT_LT(*first.scores[0].val_loss, 0.5);
  EXPECT_EQ(first.metrics.at("parameters_total"), 1199882);
  EXPECT_EQ(first.metrics.at("parameters_trainable"), 1199882);
  EXPECT_GT(first.metrics.at("total_s"), 0);
  std::map<std::string, std::string> shorter = ShortTraining(GetParam());
  shorter["steps"] = "20";
  EXPECT_EQ(Execute("mnist_cnn", shorter).metrics.at("loss"), Execute("mnist_cnn", shorter).metrics.at("loss"));
}

INSTANTIATE_TEST_SUITE_P(Kernels, MnistCnnTest, testing::Values("aten", "fused"));

TEST(CifarLeNet, LearnsTheSameForTheSameSeedAndCountsAllocations) {
  at::set_num_threads(1);
  for (const std::string kernels : {"aten", "fused"}) {
    const std::map<std::string, std::string> given = {{"batch", "50"},      {"batches", "20"},
                                                      {"epochs", "8"},      {"warmup", "2"},
                                                      {"kernels", kernels}, {"memory_format", "channels_last"}};
    const Outcome first = Execute("cifar_lenet", given);
    ASSERT_EQ(first.scores.size(), 8u);
    EXPECT_GT(*first.scores.back().val_accuracy, 0.7) << kernels;
    EXPECT_GT(*first.scores.back().accuracy, 0.7);
    EXPECT_LT(*first.scores.back().loss, *first.scores.front().loss);
    EXPECT_EQ(first.metrics.at("parameters_total"), 39558);
    EXPECT_GT(first.metrics.at("alloc_count"), 20 * 20);
    const double unpooled = 20 * 50 * 28 * 28 * 16 * 4.0;  // which our kernel does not put into memory
    EXPECT_EQ(first.metrics.at("alloc_bytes") > unpooled, kernels == "aten");
    const Outcome second = Execute("cifar_lenet", given);
    for (size_t i = 0; i < first.scores.size(); ++i) EXPECT_EQ(*second.scores[i].loss, *first.scores[i].loss);
    EXPECT_EQ(second.metrics.at("alloc_bytes"), first.metrics.at("alloc_bytes"));
  }
}

TEST(CifarResNet63, TellsEachCallAndCountsItsParameters) {
  const std::map<std::string, std::string> given = {{"batch", "2"}, {"steps", "2"}, {"warmup", "2"}};
  const Outcome first = Execute("cifar_resnet63", given);
  EXPECT_EQ(first.metrics.at("parameters_total"), 15206538);
  EXPECT_EQ(first.metrics.at("parameters_trainable"), 15187722);
  EXPECT_GT(first.metrics.at("wall_s"), 0);
  EXPECT_GT(first.metrics.at("process_s"), 0);
  ASSERT_EQ(first.notes.size(), 4u);
  EXPECT_EQ(first.notes[3].find("call 4: "), 0u) << first.notes[3];
  EXPECT_EQ(Execute("cifar_resnet63", given).metrics.at("loss"), first.metrics.at("loss"));
}

TEST(ImageCnn58m, TrainsThroughItsPipelineAndToldHowLongItWaited) {
  const std::map<std::string, std::string> given = {
      {"batch", "8"}, {"images", "64"}, {"epochs", "1"}, {"warmup", "2"}, {"memory_format", "channels_last"}};
  const Outcome first = Execute("image_cnn_58m", given);
  ASSERT_EQ(first.scores.size(), 1u);
  EXPECT_GT(*first.scores[0].accuracy, 0.4) << "guessing is right in a quarter";
  EXPECT_TRUE(first.scores[0].val_loss && first.scores[0].val_accuracy);
  EXPECT_EQ(first.metrics.at("parameters_total"), 58091396);
  EXPECT_EQ(first.metrics.at("parameters_trainable"), 58088516);
  EXPECT_GE(first.metrics.at("data_wait_s"), 0);
}

TEST(ImageCnn58m, FoldersThatCannotBeTrainedOnAreRefused) {
  const WorkloadDefinition& definition = Find("image_cnn_58m");
  const auto parameters = Parameters::Parse(definition.parameters, {{"data", "folder"}});
  EXPECT_EQ(definition.create()->SetUp({*parameters, "cpu", "/nonexistent"}).kind(), "data_missing");
  EXPECT_EQ(definition.create()->SetUp({*parameters, "cpu", ""}).kind(), "data_missing");
  const auto large = Parameters::Parse(definition.parameters, {{"batch", "65"}, {"images", "64"}});
  EXPECT_EQ(definition.create()->SetUp({*large, "cpu", ""}).kind(), "bad_parameter");
}

TEST(Kernels, FusedOnesAreRefusedWhereTheyDoNotExist) {
  const std::pair<const char*, const char*> kNotThese[] = {{"mnist_cnn", "channels_last"},
                                                           {"cifar_lenet", "contiguous"}};
  for (const auto& [name, format] : kNotThese) {
    const WorkloadDefinition& definition = Find(name);
    const auto parameters = Parameters::Parse(definition.parameters,
                                              {{"data", "synthetic"}, {"kernels", "fused"}, {"memory_format", format}});
    ASSERT_TRUE(parameters.ok());
    EXPECT_EQ(definition.create()->SetUp({*parameters, "cpu", ""}).kind(), "unsupported") << name;
  }
}

TEST(Networks, TrainInBf16AsWellAndTellTheirShareOfTheCeiling) {
  at::set_num_threads(1);
  const std::map<std::string, std::string> short_run = {
      {"batch", "2"}, {"steps", "1"}, {"warmup", "1"}, {"dtype", "bf16"}};
  for (const char* name : {"cifar_resnet63", "resnet50", "transformer_lm"}) {
    SCOPED_TRACE(name);
    std::map<std::string, std::string> given = short_run;
    if (name == std::string("transformer_lm")) given["context"] = "16";
    const Outcome outcome = Execute(name, given);
    given["dtype"] = "fp32";
    const double loss = Execute(name, given).metrics.at("loss");
    EXPECT_NE(outcome.metrics.at("loss"), loss) << "it computed in fp32";
    EXPECT_NEAR(outcome.metrics.at("loss"), loss, 0.3);
    EXPECT_GT(outcome.metrics.at("tflop_per_s"), 0);
    EXPECT_GT(outcome.metrics.at("ceiling_share"), 0);
  }
}

TEST(Networks, RefuseANumberFormatThatTheCpuEmulates) {
  for (const char* name : {"mnist_cnn", "image_cnn_58m", "resnet50", "transformer_lm", "matmul"}) {
    const WorkloadDefinition& definition = Find(name);
    std::map<std::string, std::string> given = {{"dtype", "fp16"}};
    if (name == std::string("mnist_cnn")) given["data"] = "synthetic";
    const auto parameters = Parameters::Parse(definition.parameters, given);
    ASSERT_TRUE(parameters.ok());
    EXPECT_EQ(definition.create()->SetUp({*parameters, "cpu", ""}).kind(), "unsupported") << name;
  }
}

TEST(Matmul, CountsItsArithmeticByEachLibrary) {
  for (const char* dtype : {"fp32", "bf16"}) {
    for (const std::string kernels : {"aten", "onednn"}) {
      if (kernels == "onednn" && !MatrixProduct::IsThere(MatrixProduct::Library::kOneDnn, at::kCPU, dtype)) continue;
      const Outcome outcome = Execute("matmul", {{"n", "64"}, {"dtype", dtype}, {"kernels", kernels}, {"steps", "20"}});
      EXPECT_NEAR(outcome.metrics.at("tflop_per_s") / outcome.metrics.at("it_per_s"), 1e-12 * 2 * 64 * 64 * 64, 1e-15);
      EXPECT_GT(outcome.metrics.at("ceiling_share"), 0);
    }
  }
}

TEST(MemoryBandwidth, CountsItsTrafficByEachKernel) {
  const double array = 1 << 20;
  for (const auto& [pattern, arrays] : std::map<std::string, double>{{"copy", 2}, {"triad", 3}}) {
    for (const char* kernels : {"aten", "streaming"}) {
      const Outcome outcome =
          Execute("memory_bandwidth", {{"mib", "1"}, {"pattern", pattern}, {"kernels", kernels}, {"steps", "20"}});
      EXPECT_NEAR(outcome.metrics.at("gb_per_s") / outcome.metrics.at("it_per_s"), 1e-9 * arrays * array, 1e-12);
    }
  }
}

TEST(MemoryTraffic, IsComparedWithTheCeilingWhereNoCacheHoldsIt) {
  using Given = std::map<std::string, std::string>;
  const std::vector<std::pair<std::string, Given>> large = {{"memory_bandwidth", {{"mib", "128"}}},
                                                            {"tensor_add", {{"n", "8192"}}},
                                                            {"tensor_add", {{"n", "8192"}, {"variant", "inplace"}}}};
  for (const auto& [name, parameters] : large) {
    SCOPED_TRACE(name);
    Given given = parameters;
    given.insert({{"steps", "2"}, {"warmup", "1"}});
    const Outcome outcome = Execute(name, given);
    EXPECT_NEAR(outcome.metrics.at("ceiling_share") / outcome.metrics.at("gb_per_s"), 1e9 / 1e30, 1e-25);
    ASSERT_EQ(outcome.ceilings.size(), 1u);
    EXPECT_EQ(outcome.ceilings[0].resource, "memory");
    EXPECT_EQ(outcome.ceilings[0].measured_unix_s, 7);
    EXPECT_TRUE(outcome.metric_notes.empty());
  }
  const std::vector<std::pair<std::string, Given>> small = {{"memory_bandwidth", {{"mib", "127"}}},
                                                            {"tensor_add", {{"n", "8191"}}}};
  for (const auto& [name, parameters] : small) {
    SCOPED_TRACE(name);
    Given given = parameters;
    given.insert({{"steps", "2"}, {"warmup", "1"}});
    const Outcome outcome = Execute(name, given);
    EXPECT_FALSE(outcome.metrics.contains("ceiling_share"));
    EXPECT_TRUE(outcome.ceilings.empty());
    ASSERT_EQ(outcome.metric_notes.size(), 1u);
    EXPECT_NE(outcome.metric_notes[0].find("may lie in caches"), std::string::npos) << outcome.metric_notes[0];
  }
}

TEST(MemoryTraffic, AnUploadIsComparedWithNothing) {
  const Outcome outcome =
      Execute("tensor_add", {{"n", "8192"}, {"dtype", "bf16"}, {"variant", "upload"}, {"steps", "1"}, {"warmup", "1"}});
  EXPECT_FALSE(outcome.metrics.contains("ceiling_share"));
  EXPECT_TRUE(outcome.ceilings.empty());
}

TEST(Ceilings, OneThatIsUnknownIsMeasuredAndOneThatIsPassedIsMeasuredAnew) {
  at::set_num_threads(1);
  const std::map<std::string, std::string> given = {{"n", "64"}, {"steps", "20"}};
  for (const KnownCeilings& kept : {KnownCeilings(), KnownCeilings({{"arithmetic", "fp32", 1, 7}})}) {
    const Outcome outcome = Execute("matmul", given, kept);
    ASSERT_EQ(outcome.ceilings.size(), 1u);
    EXPECT_GT(outcome.ceilings[0].rate, 1e9);
    EXPECT_GT(outcome.ceilings[0].measured_unix_s, 7);
    EXPECT_NEAR(outcome.metrics.at("ceiling_share"),
                1e12 * outcome.metrics.at("tflop_per_s") / outcome.ceilings[0].rate, 1e-9);
  }
  EXPECT_EQ(at::get_num_threads(), 1) << "a ceiling is measured with every core and leaves the threads as they were";
}

TEST(MemoryBandwidth, TheWayToAGpuNeedsOne) {
  const WorkloadDefinition& definition = Find("memory_bandwidth");
  const auto parameters = Parameters::Parse(definition.parameters, {{"pattern", "upload"}});
  EXPECT_EQ(definition.create()->SetUp({*parameters, "cpu", ""}).kind(), "unsupported");
}

TEST(MnistCnn, RealDataHasToBeThere) {
  const WorkloadDefinition& definition = Find("mnist_cnn");
  const auto parameters = Parameters::Parse(definition.parameters, {});
  EXPECT_EQ(definition.create()->SetUp({*parameters, "cpu", "/nonexistent"}).kind(), "data_missing");
}

TEST(TensorAdd, EveryVariantAndNumberFormatRuns) {
  for (const char* variant : {"torchscript", "inplace", "out", "alloc", "upload"}) {
    for (const char* dtype : {"fp32", "bf16", "fp16"}) {
      const Outcome outcome =
          Execute("tensor_add", {{"n", "256"}, {"variant", variant}, {"dtype", dtype}, {"steps", "20"}});
      EXPECT_GT(outcome.metrics.at("it_per_s"), 0) << variant << " " << dtype;
    }
  }
}

TEST(TensorAdd, TrafficIsThatOfTheVariant) {
  const double bytes = 256 * 256 * 4;
  const std::map<std::string, double> tensors = {
      {"torchscript", 2}, {"inplace", 2}, {"out", 3}, {"alloc", 3}, {"upload", 9}};
  for (const auto& [variant, count] : tensors) {
    const Outcome outcome = Execute("tensor_add", {{"n", "256"}, {"variant", variant}, {"steps", "20"}});
    EXPECT_NEAR(outcome.metrics.at("gb_per_s") / outcome.metrics.at("it_per_s"), 1e-9 * bytes * count, 1e-12)
        << variant;
  }
}

TEST(TensorAdd, ThePublishedFunctionFoldsToOneConstant) {
  const Outcome outcome = Execute("tensor_add", {{"n", "256"}, {"steps", "20"}});
  ASSERT_EQ(outcome.notes.size(), 1u);
  EXPECT_NE(outcome.notes[0].find("folded the published function to one constant"), std::string::npos);
}

}  // namespace
}  // namespace fleetmark
