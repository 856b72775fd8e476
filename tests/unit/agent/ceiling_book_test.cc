#include "agent/ceiling_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/files.h"
#include "tests/fakes/temporary_directory.h"

namespace fleetmark::agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

v1::CeilingConditions SomeGpu() {
  v1::CeilingConditions conditions;
  conditions.set_device_uuid("GPU-1");
  conditions.set_device_model("A GPU");
  conditions.set_gpu_driver("535.1");
  conditions.set_cpu_model("A CPU");
  conditions.set_cpu_count(8);
  conditions.set_memory_gib(64);
  conditions.set_runtime("libtorch");
  conditions.set_runtime_version("2.1");
  return conditions;
}

v1::Ceiling Memory(double rate) {
  v1::Ceiling ceiling;
  ceiling.set_resource("memory");
  ceiling.set_rate(rate);
  ceiling.set_measured_unix_s(rate / 2);
  return ceiling;
}

v1::Ceiling Arithmetic(const std::string& dtype, double rate) {
  v1::Ceiling ceiling = Memory(rate);
  ceiling.set_resource("arithmetic");
  ceiling.set_dtype(dtype);
  return ceiling;
}

class CeilingBookTest : public testing::Test {
 protected:
  static constexpr double kNow_unix_s = 7;
  CeilingBook Open() { return CeilingBook(directory_.path(), kNow_unix_s); }
  std::filesystem::path path() const { return directory_.path() / "ceilings.json"; }
  // In short, of the best that a new book knows under `conditions`.
  std::vector<std::string> Known(const v1::CeilingConditions& conditions) {
    std::vector<std::string> known;
    for (const v1::Ceiling& ceiling : Open().Known(conditions)) {
      known.push_back(ceiling.resource() + ceiling.dtype() + " " + std::to_string(static_cast<int>(ceiling.rate())) +
                      " at " + std::to_string(static_cast<int>(ceiling.measured_unix_s())));
    }
    return known;
  }
  TemporaryDirectory directory_;
};

TEST_F(CeilingBookTest, KeepsOneOfEachKindOverReopening) {
  EXPECT_THAT(Known(SomeGpu()), IsEmpty());
  ASSERT_TRUE(Open().Keep(SomeGpu(), {Memory(10), Arithmetic("fp32", 20)}).ok());
  ASSERT_TRUE(Open().Keep(SomeGpu(), {Arithmetic("bf16", 40)}).ok());
  EXPECT_THAT(Known(SomeGpu()), ElementsAre("memory 10 at 5", "arithmeticfp32 20 at 10", "arithmeticbf16 40 at 20"));
}

TEST_F(CeilingBookTest, OnlyRises) {
  ASSERT_TRUE(Open().Keep(SomeGpu(), {Memory(10)}).ok());
  ASSERT_TRUE(Open().Keep(SomeGpu(), {Memory(6)}).ok());
  EXPECT_THAT(Known(SomeGpu()), ElementsAre("memory 10 at 5"));
  ASSERT_TRUE(Open().Keep(SomeGpu(), {Memory(12)}).ok());
  EXPECT_THAT(Known(SomeGpu()), ElementsAre("memory 12 at 6"));
}

TEST_F(CeilingBookTest, ForgetsWhatWasMeasuredUnderOtherConditions) {
  const auto changed = [](auto change) {
    v1::CeilingConditions conditions = SomeGpu();
    change(&conditions);
    return conditions;
  };
  for (const v1::CeilingConditions& other :
       {changed([](auto* now) { now->set_gpu_driver("550.2"); }),
        changed([](auto* now) { now->set_device_model("B"); }), changed([](auto* now) { now->set_cpu_model("B"); }),
        changed([](auto* now) { now->set_cpu_count(4); }), changed([](auto* now) { now->set_memory_gib(32); }),
        changed([](auto* now) { now->set_runtime_version("2.2"); })}) {
    SCOPED_TRACE(other.ShortDebugString());
    std::filesystem::remove(path());
    ASSERT_TRUE(Open().Keep(SomeGpu(), {Memory(10)}).ok());
    EXPECT_THAT(Known(other), IsEmpty());
    ASSERT_TRUE(Open().Keep(other, {Memory(6)}).ok());
    EXPECT_THAT(Known(other), ElementsAre("memory 6 at 3")) << "lower than before the change";
    EXPECT_THAT(Known(SomeGpu()), IsEmpty());
  }
}

TEST_F(CeilingBookTest, DevicesAreApartAndRuntimesOfOneDeviceShare) {
  v1::CeilingConditions other_device = SomeGpu(), other_runtime = SomeGpu();
  other_device.set_device_uuid("GPU-2");
  other_runtime.set_runtime("pytorch");
  other_runtime.set_runtime_version("9");
  ASSERT_TRUE(Open().Keep(SomeGpu(), {Memory(10)}).ok());
  EXPECT_THAT(Known(other_device), IsEmpty());
  EXPECT_THAT(Known(other_runtime), ElementsAre("memory 10 at 5"));
  // What it was given and tells again is not its own: a change of the runtime that measured it still counts.
  ASSERT_TRUE(Open().Keep(other_runtime, {Memory(10)}).ok());
  v1::CeilingConditions updated = SomeGpu();
  updated.set_runtime_version("2.2");
  EXPECT_THAT(Known(updated), IsEmpty());
  ASSERT_TRUE(Open().Keep(other_runtime, {Memory(15)}).ok());
  EXPECT_THAT(Known(SomeGpu()), ElementsAre("memory 15 at 7"));
  EXPECT_THAT(Known(updated), ElementsAre("memory 15 at 7"));
}

TEST_F(CeilingBookTest, AFileThatCannotBeReadIsSetAside) {
  const std::string valid = R"({"kept": [{"ceilings": [{"resource": "memory", "rate": RATE}]}]})";
  const auto with_rate = [&](const char* rate) { return std::string(valid).replace(valid.find("RATE"), 4, rate); };
  for (const std::string& text : {std::string("rubbish"), std::string(), std::string("{\"kept\": [{\"unknown\": 1}]}"),
                                  with_rate("-1"), with_rate("\"NaN\"")}) {
    SCOPED_TRACE(text);
    ASSERT_TRUE(WriteFileAtomically(path(), text).ok());
    CeilingBook book = Open();
    EXPECT_THAT(book.warning(), HasSubstr("ceilings.json.corrupt-7"));
    EXPECT_EQ(*ReadFile(directory_.path() / "ceilings.json.corrupt-7"), text);
    EXPECT_THAT(book.Known(SomeGpu()), IsEmpty());
    ASSERT_TRUE(book.Keep(SomeGpu(), {Memory(10)}).ok());
    EXPECT_THAT(Known(SomeGpu()), ElementsAre("memory 10 at 5"));
    EXPECT_EQ(Open().warning(), "");
  }
}

TEST_F(CeilingBookTest, WhatCannotBeWrittenIsKnownAllTheSame) {
  CeilingBook book(directory_.path() / "gone", kNow_unix_s);
  EXPECT_EQ(book.warning(), "");
  EXPECT_FALSE(book.Keep(SomeGpu(), {Memory(10)}).ok());
  EXPECT_EQ(book.Known(SomeGpu()).size(), 1u);
}

TEST(CeilingConditions, AreThoseOfTheRunsDeviceAndRuntime) {
  Offer offer;
  v1::Runtime& runtime = offer.runtimes.emplace_back();
  runtime.set_name("libtorch");
  runtime.mutable_description()->set_runtime_version("2.1");
  v1::Device& device = *runtime.mutable_description()->add_devices();
  device.set_name("cuda:0");
  device.set_uuid("GPU-1");
  device.set_model("A GPU");
  v1::RunSpec spec;
  spec.set_runtime("libtorch");
  spec.set_device("cuda:0");
  const v1::CeilingConditions conditions = CeilingConditionsOf(offer, spec);
  EXPECT_EQ(conditions.device_uuid(), "GPU-1");
  EXPECT_EQ(conditions.device_model(), "A GPU");
  EXPECT_EQ(conditions.runtime(), "libtorch");
  EXPECT_EQ(conditions.runtime_version(), "2.1");
  EXPECT_NE(conditions.cpu_model(), "");
  EXPECT_GT(conditions.cpu_count(), 0);
}

}  // namespace
}  // namespace fleetmark::agent
