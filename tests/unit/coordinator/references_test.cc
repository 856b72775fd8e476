#include "coordinator/references.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>

namespace fleetmark {
namespace {

class References : public testing::Test {
 protected:
  References() {
    std::string name = testing::TempDir() + "references_XXXXXX";
    directory_ = mkdtemp(name.data());
  }
  ~References() override { std::filesystem::remove_all(directory_); }
  void Write(const std::string& name, const std::string& text) { std::ofstream(directory_ / name) << text; }

  std::filesystem::path directory_;
};

TEST_F(References, ReadsARowANumberWithItsSource) {
  Write("tensor_add.csv",
        "# Source: an article\n# more\nsystem,device_kind,device,metric,value,unit,note\n"
        "Server CPU,cpu,,it_per_s,74,it/s,model not published\n");
  const auto references = ReadReferences(directory_);
  ASSERT_TRUE(references.ok()) << references.status().ToString();
  ASSERT_EQ(references->size(), 1u);
  const Reference& reference = references->front();
  EXPECT_EQ(reference.workload, "tensor_add");
  EXPECT_EQ(reference.system, "Server CPU");
  EXPECT_EQ(reference.device, "");
  EXPECT_EQ(reference.value, 74);
  EXPECT_EQ(reference.source, "Source: an article");
  EXPECT_FALSE(reference.is_derived);
}

TEST_F(References, DerivesTheRateOfMnistOnlyWhereTheEpochsAreKnown) {
  Write("mnist_cnn.csv",
        "# S\nsystem,device_kind,device,runtime,metric,value,unit,note\n"
        "Asus,cpu,Ryzen,tensorflow,total_s,654,s,\nAsus,cpu,Ryzen,pytorch,total_s,420,s,\n");
  const auto references = ReadReferences(directory_);
  ASSERT_TRUE(references.ok());
  ASSERT_EQ(references->size(), 3u);
  const Reference& derived = references->back();
  EXPECT_EQ(derived.runtime, "pytorch");
  EXPECT_EQ(derived.metric, "samples_per_s");
  EXPECT_DOUBLE_EQ(derived.value, 2000);
  EXPECT_TRUE(derived.is_derived);
  EXPECT_THAT(derived.note, testing::HasSubstr("420 s"));
}

TEST_F(References, TakesTheMeanOfTheLaterCallsAndTheFirstApart) {
  Write("cifar_resnet63.csv",
        "# S\nsystem,device_kind,device,runtime,script,call,process_s,wall_s\n"
        "Mac,cpu,i5,tensorflow,1,1,100,50\nMac,cpu,i5,tensorflow,1,2,90,40\n"
        "Mac,cpu,i5,tensorflow,1,3,80,30\nMac,cpu,i5,tensorflow,1,4,60,20\n");
  const auto references = ReadReferences(directory_);
  ASSERT_TRUE(references.ok()) << references.status().ToString();
  std::map<std::string, double> values;
  for (const Reference& reference : *references) values[reference.metric] = reference.value;
  EXPECT_EQ(values, (std::map<std::string, double>{{"first_call_s", 50}, {"wall_s", 25}, {"process_s", 70}}));
}

TEST_F(References, KeepsEveryCallBesideTheMean) {
  Write("cifar_resnet63.csv",
        "# S\nsystem,device_kind,device,runtime,script,call,process_s,wall_s\n"
        "Mac,cpu,i5,tensorflow,1,1,100,50\nMac,cpu,i5,tensorflow,1,2,90,40\nMac,cpu,i5,tensorflow,1,3,80,30\n"
        "Mac,cpu,i5,tensorflow,2,1,101,51\n");
  const auto references = ReadReferences(directory_);
  ASSERT_TRUE(references.ok()) << references.status().ToString();
  const auto wall = std::find_if(references->begin(), references->end(),
                                 [](const Reference& reference) { return reference.metric == "wall_s"; });
  ASSERT_NE(wall, references->end());
  EXPECT_EQ(wall->value, 30);
  const v1::Reference message = ToProto(*wall);
  ASSERT_EQ(message.calls_size(), 4);
  EXPECT_EQ(message.calls(3).script(), 2);
  EXPECT_EQ(message.calls(3).call(), 1);
  EXPECT_EQ(message.calls(3).value(), 51);
}

TEST_F(References, PutsWhatTheArticleSaysToTheRowThatItIsAbout) {
  const std::string rows =
      "system,device_kind,device,runtime,metric,value,unit,note\n"
      "Box,gpu,a GPU,x,total_s,10,s,\nBox,cpu,a CPU,x,total_s,100,s,\n";
  Write("a.csv", "# S\n# Says: 90 % for total_s of a GPU against a CPU\n" + rows);
  const auto references = ReadReferences(directory_);
  ASSERT_TRUE(references.ok()) << references.status().ToString();
  EXPECT_EQ(references->front().claim, "90 %");
  EXPECT_EQ(references->front().claim_against, "a CPU");
  EXPECT_EQ(references->back().claim, "");
  EXPECT_EQ(references->front().source, "S");
  Write("a.csv", "# S\n# Says: 90 % for total_s of a GPU against an NPU\n" + rows);
  EXPECT_THAT(ReadReferences(directory_).status().message(), testing::HasSubstr("an NPU"));
  Write("a.csv", "# S\n# Says: quite fast\n" + rows);
  EXPECT_THAT(ReadReferences(directory_).status().message(), testing::HasSubstr("a.csv:2"));
}

TEST_F(References, NamesThePlaceOfWhatIsMalformed) {
  Write("a.csv", "# S\nsystem,metric,value\nMac,x,1\nMac,x,fast\n");
  EXPECT_THAT(ReadReferences(directory_).status().message(), testing::HasSubstr("a.csv:4: value is \"fast\""));
  Write("a.csv", "# S\nsystem,metric,value\nMac,x\n");
  EXPECT_THAT(ReadReferences(directory_).status().message(), testing::HasSubstr("a.csv:3: 2 fields"));
  EXPECT_EQ(ReadReferences(directory_ / "missing").status().code(), StatusCode::kNotFound);
}

constexpr char kWithEvidence[] = "# S\nsystem,metric,value,unit,rated_gb_per_s,gb_per_it,throttled_by\n";

TEST_F(References, MoreThanTheCardIsSpecifiedForIsImplausible) {
  Write("tensor_add.csv", std::string(kWithEvidence) +
                              "A,it_per_s,320,it/s,360,1.208,\nB,it_per_s,298,it/s,360,1.208,\n" +
                              "C,it_per_s,320,it/s,,1.208,\n");
  const auto references = ReadReferences(directory_);
  ASSERT_TRUE(references.ok()) << references.status().ToString();
  const v1::Verdict& verdict = references->front().verdict;
  EXPECT_EQ(verdict.kind(), "IMPLAUSIBLE");
  EXPECT_EQ(verdict.cause(), "ceiling");
  ASSERT_EQ(verdict.evidence_size(), 1);
  EXPECT_EQ(verdict.evidence(0), "387 GB/s is 1.07 times the 360 GB/s that the card is specified for");
  EXPECT_EQ((*references)[1].verdict.kind(), "") << "359.98 GB/s";
  EXPECT_EQ((*references)[2].verdict.kind(), "") << "nothing to compare with";
}

TEST_F(References, WhatItsAuthorCallsThrottledIs) {
  Write("tensor_add.csv",
        std::string(kWithEvidence) + "A,it_per_s,55,it/s,,,heat\nB,it_per_s,400,it/s,360,1.208,heat\n");
  const auto references = ReadReferences(directory_);
  ASSERT_TRUE(references.ok()) << references.status().ToString();
  EXPECT_EQ(references->front().verdict.kind(), "THROTTLED");
  EXPECT_EQ(references->front().verdict.cause(), "heat");
  EXPECT_EQ(references->front().verdict.evidence(0), "its author says that it was throttled by heat");
  EXPECT_EQ((*references)[1].verdict.kind(), "IMPLAUSIBLE") << "the gravest decides";
  EXPECT_EQ((*references)[1].verdict.evidence_size(), 2);
}

TEST_F(References, NamesThePlaceOfEvidenceThatIsMalformed) {
  const auto refusal = [&](const std::string& row) {
    Write("a.csv", kWithEvidence + row);
    return ReadReferences(directory_).status().message();
  };
  EXPECT_THAT(refusal("A,x,1,s,much,1,\n"), testing::HasSubstr("a.csv:3: rated_gb_per_s is \"much\", not a number"));
  EXPECT_THAT(refusal("A,x,1,s,360,nan,\n"), testing::HasSubstr("a.csv:3: gb_per_it is \"nan\""));
  EXPECT_THAT(refusal("A,x,1,s,0,1,\n"), testing::HasSubstr("a.csv:3: rated_gb_per_s is 0, not above 0"));
  EXPECT_THAT(refusal("A,x,1,s,360,,\n"), testing::HasSubstr("a.csv:3: rated_gb_per_s says nothing without gb_per_it"));
  EXPECT_THAT(refusal("A,x,inf,s,,,\n"), testing::HasSubstr("a.csv:3: value is \"inf\""));
}

TEST_F(References, RefusesAColumnThatNothingReads) {
  Write("a.csv", "# S\n# more\nsystem,metric,value,throtled_by\nMac,x,1,heat\n");
  const Status status = ReadReferences(directory_).status();
  EXPECT_THAT(status.message(), testing::HasSubstr("a.csv:3: there is no column \"throtled_by\""));
  EXPECT_THAT(status.hint(), testing::HasSubstr("throttled_by"));
  Write("a.csv", "# S\nsystem,call,process_s,wall_s,gb_per_it\n");
  EXPECT_THAT(ReadReferences(directory_).status().message(), testing::HasSubstr("no column \"gb_per_it\""));
}

TEST(PublishedReferences, TwoRowsOfTensorAddAreFlagged) {
  const auto references = ReadReferences(FLEETMARK_REFERENCE_DIR);
  ASSERT_TRUE(references.ok()) << references.status().ToString();
  std::map<std::string, std::string> flagged;
  for (const Reference& reference : *references) {
    if (!reference.verdict.kind().empty()) flagged[reference.system] = reference.verdict.kind();
  }
  EXPECT_EQ(flagged, (std::map<std::string, std::string>{{"Nvidia RTX3060 GPU", "IMPLAUSIBLE"},
                                                         {"Server GPU (Overheat)", "THROTTLED"}}));
}

TEST(PublishedReferences, OfTheTreeAreAllRead) {
  const auto references = ReadReferences(FLEETMARK_REFERENCE_DIR);
  ASSERT_TRUE(references.ok()) << references.status().ToString();
  const auto count = [&](const std::string& workload) {
    return std::count_if(references->begin(), references->end(),
                         [&](const Reference& reference) { return reference.workload == workload; });
  };
  EXPECT_EQ(count("tensor_add"), 11);
  EXPECT_EQ(count("mnist_cnn"), 6);
  EXPECT_EQ(count("image_cnn_58m"), 6);
  EXPECT_EQ(count("cifar_lenet"), 2);
  EXPECT_EQ(count("cifar_resnet63"), 9);
}

}  // namespace
}  // namespace fleetmark
