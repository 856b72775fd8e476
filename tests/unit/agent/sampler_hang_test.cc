// What the sampler makes of sensors that do not answer, or only after a while.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "agent/sampler/sampler.h"
#include "tests/unit/agent/sampler_fixture.h"

namespace fleetmark {
namespace {

using agent::WaitUntil;

using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::IsNan;
using testing::StartsWith;

TEST_F(SamplerTest, ASensorThatHangsIsNamedAndNobodyWaitsForIt) {
  SensorScript* const hanging = AddSteady("hanging");
  SensorScript* const steady = AddSteady("steady");
  Sampler sampler(Options(kHang_s));
  auto recording = sampler.Record();
  recording->Start(kSubject);
  WaitForReads(hanging, 5);
  hanging->Hold();
  const auto hung_long = [&] {
    const std::vector<double> tries = hanging->read_at_s(), others = steady->read_at_s();
    return !tries.empty() && !others.empty() && others.back() > tries.back() + 1.2 * kHang_s;
  };
  ASSERT_TRUE(WaitUntil(hung_long)) << "the other sensor is read on";
  const v1::Telemetry telemetry = recording->Finish();
  EXPECT_EQ("hangs", Said(telemetry, "hanging").state());
  EXPECT_THAT(Said(telemetry, "hanging").why(), AllOf(StartsWith("since "), HasSubstr("1.00 s")));
  EXPECT_THAT(Values(telemetry, "hanging"), testing::Contains(7)) << "what came before is kept";
  EXPECT_THAT(Values(telemetry, "hanging").back(), IsNan());
  EXPECT_EQ("ok", Said(telemetry, "steady").state());

  // While it hangs, further runs give it no more threads.
  recording = sampler.Record();
  recording->Start(kSubject);
  WaitForReads(steady, 5);
  EXPECT_EQ("hangs", Said(recording->Finish(), "hanging").state());
  EXPECT_EQ(1, hanging->begins());

  hanging->Release();
  EXPECT_TRUE(WaitUntil([&] {
    recording = sampler.Record();
    recording->Start(kSubject);
    const int reads = steady->reads();
    WaitUntil([&] { return steady->reads() > reads; });
    return Said(recording->Finish(), "hanging").state() != "hangs";
  })) << "it has come back";
}

TEST_F(SamplerTest, ASensorThatAnswersTooLateIsGivenUp) {
  SensorScript* const slow = AddSteady("slow");
  SensorScript* const steady = AddSteady("steady");
  slow->Hold();
  Sampler sampler(Options(kHang_s));
  const auto recording = sampler.Record();
  recording->Start(kSubject);
  ASSERT_TRUE(WaitUntil([&] { return !steady->read_at_s().empty() && steady->read_at_s().back() > 1.2 * kHang_s; }));
  slow->Release();
  WaitForReads(steady, 20);
  const v1::Telemetry telemetry = recording->Finish();
  EXPECT_EQ("hangs", Said(telemetry, "slow").state());
  EXPECT_THAT(Values(telemetry, "slow"), Each(IsNan()));
  EXPECT_EQ(1, slow->reads());
}

TEST_F(SamplerTest, AnAnswerThatWasWaitedForLeavesAWord) {
  SensorScript* const slow = AddSteady("slow");
  SensorScript* const pending = AddSteady("pending");
  const SensorScript* const steady = AddSteady("steady");
  Sampler sampler(Options(3 * kHang_s));  // from half of it on a word is said
  const auto recording = sampler.Record();
  recording->Start(kSubject);
  for (SensorScript* const script : {slow, pending}) {
    WaitForReads(script, 5);
    script->Hold();
  }
  const auto waits_long = [steady](const SensorScript* script) {
    const std::vector<double> tries = script->read_at_s(), others = steady->read_at_s();
    return !tries.empty() && !others.empty() && others.back() > tries.back() + 1.6 * kHang_s;
  };
  ASSERT_TRUE(WaitUntil([&] { return waits_long(slow) && waits_long(pending); }));
  slow->Release();
  WaitForReads(slow, 2);
  const v1::Telemetry telemetry = recording->Finish();
  pending->Release();
  for (const char* const name : {"slow", "pending"}) {
    EXPECT_EQ("ok", Said(telemetry, name).state());
    EXPECT_THAT(Said(telemetry, name).why(), AllOf(StartsWith("slow in 1 of "), HasSubstr(": it did not answer for ")));
  }
  EXPECT_EQ("", Said(telemetry, "steady").why());
}

// A driver's library may hang as it is given up, too.
TEST_F(SamplerTest, ASensorThatHangsAsItEndsIsLeftToItself) {
  SensorScript* const ending = AddSteady("ending");
  SensorScript* const steady = AddSteady("steady");
  ending->HoldAtEnd();
  Sampler sampler(Options(kHang_s));
  auto recording = sampler.Record();
  recording->Start(kSubject);
  WaitForReads(ending, 5);
  WaitForReads(steady, 5);
  EXPECT_EQ("ok", Said(recording->Finish(), "ending").state());
  EXPECT_TRUE(WaitUntil([&] { return steady->ends() == 1; }));

  // Nobody waited for it where it was just being read, and then it hangs only some time later.
  const auto is_known_to_hang = [&] {
    recording = sampler.Record();
    recording->Start(kSubject);
    WaitForReads(steady, 5);
    return Said(recording->Finish(), "ending").state() == "hangs";
  };
  ASSERT_TRUE(WaitUntil(is_known_to_hang));
  const int begins = ending->begins();
  EXPECT_TRUE(is_known_to_hang());
  EXPECT_EQ(begins, ending->begins()) << "it is asked no more";
  ending->Release();
  EXPECT_TRUE(WaitUntil([&] { return ending->ends() >= begins; }));
}

// As AMD's sensor, which is another where a library does not load.
TEST_F(SamplerTest, ASensorThatHangsIsKnownAgainUnderItsFirstName) {
  class RenamedSensor final : public Sensor {
   public:
    explicit RenamedSensor(std::shared_ptr<SensorScript> script) : script_(std::move(script)) {}
    const char* name() const override { return is_read_ ? "renamed" : "unread"; }
    void Begin(const SensorSubject& subject) override { script_->Begin(subject); }
    v1::Sensor Read(double now_s, std::vector<Reading>* readings) override {
      is_read_ = true;
      return script_->Read(now_s, readings);
    }

   private:
    const std::shared_ptr<SensorScript> script_;
    std::atomic<bool> is_read_ = false;
  };
  const auto renamed =
      std::make_shared<SensorScript>("renamed", [](int, std::vector<Reading>*) { return SensorSaid("ok"); });
  const auto steady =
      std::make_shared<SensorScript>("steady", [](int, std::vector<Reading>*) { return SensorSaid("ok"); });
  Sampler::Options options = Options(kHang_s);
  options.make_sensors = [&](const SensorSubject&) {
    std::vector<std::unique_ptr<Sensor>> sensors;
    sensors.push_back(std::make_unique<RenamedSensor>(renamed));
    sensors.push_back(std::make_unique<ScriptedSensor>(steady));
    return sensors;
  };
  renamed->Hold();
  Sampler sampler(options);
  auto recording = sampler.Record();
  recording->Start(kSubject);
  ASSERT_TRUE(WaitUntil([&] {
    const std::vector<double> read_at_s = steady->read_at_s();
    return renamed->reads() == 1 && !read_at_s.empty() && read_at_s.back() > renamed->read_at_s()[0] + 1.2 * kHang_s;
  }));
  EXPECT_EQ("hangs", Said(recording->Finish(), "renamed").state());
  recording = sampler.Record();
  recording->Start(kSubject);
  WaitForReads(steady.get(), 5);
  EXPECT_EQ("hangs", Said(recording->Finish(), "renamed").state());
  EXPECT_EQ(1, renamed->begins());
  renamed->Release();
}

TEST_F(SamplerTest, ARunMayEndBeforeASensorHasAnswered) {
  SensorScript* const slow = AddSteady("slow");
  slow->Hold();
  Sampler sampler(Options(kNever));
  const auto recording = sampler.Record();
  recording->Start(kSubject);
  ASSERT_TRUE(WaitUntil([&] { return slow->reads() == 1; }));
  const v1::Telemetry telemetry = recording->Finish();
  EXPECT_EQ("failed", Said(telemetry, "slow").state());
  EXPECT_THAT(Said(telemetry, "slow").why(), HasSubstr("before it had answered"));
  slow->Release();
}

}  // namespace
}  // namespace fleetmark
