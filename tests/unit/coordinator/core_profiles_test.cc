#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/protocol_version.h"
#include "common/run_spec.h"
#include "tests/unit/coordinator/core_harness.h"

namespace fleetmark {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// lab-1's own profile for n=512 on its CPU, one thread.
class CoreProfiles : public testing::Test {
 protected:
  CoreProfiles() : lab_(fleet_.AddAgent("lab-1")), other_(fleet_.AddAgent("lab-2")) {
    profile_.set_agent("lab-1");
    profile_.set_device("cpu");
    profile_.set_workload("tensor_add");
    (*profile_.mutable_parameters())["n"] = "512";
    (*profile_.mutable_settings())["threads"] = "1";
    profile_.add_tried()->set_name("threads=1");
  }

  // What a run of lab-1 is sent, once it ran.
  v1::StartRunRequest Sent(const std::function<void(v1::SubmitRequest*)>& change = nullptr) {
    v1::SubmitRequest request = CoreHarness::Request("lab-1");
    request.set_profile("tuned");
    (*request.mutable_parameters())["n"] = "512";
    if (change) change(&request);
    fleet_.SubmitOne(request);
    ScriptedAgent& agent = request.on(0) == "lab-2" ? other_ : lab_;
    fleet_.Finish(agent);
    return agent.starts.back();
  }
  Status Refusal(const std::function<void(v1::TunedProfile*)>& change) {
    v1::TunedProfile profile = profile_;
    change(&profile);
    return fleet_.KeepProfile(profile).status();
  }

  CoreHarness fleet_;
  ScriptedAgent& lab_;
  ScriptedAgent& other_;
  v1::TunedProfile profile_;
};

TEST_F(CoreProfiles, IsCompletedAsItIsKept) {
  const StatusOr<v1::TunedProfile> kept = fleet_.KeepProfile(profile_);
  ASSERT_TRUE(kept.ok()) << kept.status().message();
  EXPECT_EQ(kept->agent_id(), "id of lab-1");
  EXPECT_EQ(kept->device_uuid(), "uuid of cpu");
  EXPECT_EQ(kept->runtime(), "libtorch");
  EXPECT_EQ(kept->workload_version(), 1);
  EXPECT_EQ(kept->board(), "n=512");
  EXPECT_GT(kept->kept_unix_s(), 0);
  EXPECT_EQ(kept->tried_size(), 1);
}

TEST_F(CoreProfiles, ReachesStartRunBesideAnUnchangedSpec) {
  const v1::StartRunRequest before = Sent();
  EXPECT_THAT(before.profile_settings(), IsEmpty());
  EXPECT_THAT(before.required_features(), IsEmpty());
  ASSERT_TRUE(fleet_.KeepProfile(profile_).ok());
  const v1::StartRunRequest after = Sent();
  EXPECT_EQ(after.profile_settings().at("threads"), "1");
  EXPECT_THAT(after.required_features(), Contains(kProfileSettingsFeature)) << "an old agent must not ignore it";
  EXPECT_EQ(after.spec_sha256(), before.spec_sha256());
  EXPECT_EQ(after.spec_sha256(), SpecSha256(after.spec()));
  EXPECT_FALSE(after.spec().parameters().contains("threads"));
}

TEST_F(CoreProfiles, IsForThatProfileBoardDeviceAndMachineAlone) {
  ASSERT_TRUE(fleet_.KeepProfile(profile_).ok());
  ASSERT_THAT(Sent().profile_settings(), SizeIs(1));
  EXPECT_THAT(Sent([](auto* r) { r->set_profile("stock"); }).profile_settings(), IsEmpty());
  EXPECT_THAT(Sent([](auto* r) { (*r->mutable_parameters())["n"] = "1024"; }).profile_settings(), IsEmpty());
  EXPECT_THAT(Sent([](auto* r) { r->set_device("cuda:0"); }).profile_settings(), IsEmpty());
  EXPECT_THAT(Sent([](auto* r) { r->set_on(0, "lab-2"); }).profile_settings(), IsEmpty());
  // Another card in the same place is another device.
  lab_.description.mutable_runtimes(0)->mutable_description()->mutable_devices(0)->set_uuid("new");
  lab_.description.mutable_devices(0)->set_uuid("new");
  lab_.Restart();
  ASSERT_TRUE(fleet_.Register(lab_).ok());
  EXPECT_THAT(Sent().profile_settings(), IsEmpty());
}

TEST_F(CoreProfiles, AnyRunTakesTheProfileOfTheMachineThatItLandsOn) {
  ASSERT_TRUE(fleet_.KeepProfile(profile_).ok());
  ASSERT_TRUE(fleet_.Drain("lab-2", true).ok());
  EXPECT_THAT(Sent([](auto* r) { r->set_on(0, "any"); }).profile_settings(), SizeIs(1));
}

TEST_F(CoreProfiles, OutlivesTheCoordinatorAndIsForgottenOnRequest) {
  ASSERT_TRUE(fleet_.KeepProfile(profile_).ok());
  fleet_.RestartCoordinator();
  EXPECT_EQ(Sent().profile_settings().at("threads"), "1");
  v1::ProfileFilter filter;
  filter.set_workload("tensor_add");
  filter.set_agent("lab-1");
  EXPECT_THAT(*fleet_.core->Profiles(filter), SizeIs(1));
  (*filter.mutable_parameters())["n"] = "513";
  EXPECT_EQ(fleet_.ForgetProfiles(filter).status().code(), StatusCode::kNotFound);
  (*filter.mutable_parameters())["n"] = "512";
  EXPECT_THAT(*fleet_.ForgetProfiles(filter), SizeIs(1));
  EXPECT_THAT(Sent().profile_settings(), IsEmpty());
  fleet_.RestartCoordinator();
  EXPECT_THAT(*fleet_.core->Profiles({}), IsEmpty());
  filter.set_agent("lab-11");
  EXPECT_THAT(fleet_.core->Profiles(filter).status().hint(), HasSubstr("lab-1"));
}

TEST_F(CoreProfiles, TheWorkloadsOwnAreKeptAsNoSettings) {
  ASSERT_TRUE(fleet_.KeepProfile(profile_).ok());
  profile_.clear_settings();
  ASSERT_TRUE(fleet_.KeepProfile(profile_).ok());
  EXPECT_THAT(*fleet_.core->Profiles({}), SizeIs(1)) << "in place of the one before";
  const v1::StartRunRequest sent = Sent();
  EXPECT_THAT(sent.profile_settings(), IsEmpty());
  EXPECT_THAT(sent.required_features(), IsEmpty());
}

TEST_F(CoreProfiles, SeveralAreKeptAllOrNone) {
  v1::TunedProfile second = profile_;
  (*second.mutable_parameters())["n"] = "1024";
  v1::TunedProfile wrong = second;
  wrong.set_device("cuda:7");
  EXPECT_THAT(fleet_.KeepProfiles({profile_, wrong}).message(), HasSubstr("cuda:7"));
  EXPECT_THAT(*fleet_.core->Profiles({}), IsEmpty());
  ASSERT_TRUE(fleet_.KeepProfiles({profile_, second}).ok());
  fleet_.RestartCoordinator();
  EXPECT_THAT(*fleet_.core->Profiles({}), SizeIs(2));
}

TEST_F(CoreProfiles, RefusesWhatTheMachineCouldNotTake) {
  EXPECT_THAT(Refusal([](auto* p) { p->set_agent("lab-3"); }).hint(), HasSubstr("lab-"));
  EXPECT_THAT(Refusal([](auto* p) { p->set_workload("tensor_ad"); }).hint(), HasSubstr("tensor_add"));
  EXPECT_THAT(Refusal([](auto* p) { p->set_device("cuda:7"); }).message(), HasSubstr("cuda:7"));
  EXPECT_THAT(Refusal([](auto* p) { p->set_device("all"); }).message(), HasSubstr("one device"));
  EXPECT_THAT(Refusal([](auto* p) { (*p->mutable_settings())["threads"] = "65"; }).message(), HasSubstr("0 to 64"));
  EXPECT_THAT(Refusal([](auto* p) { (*p->mutable_settings())["n"] = "512"; }).message(), HasSubstr("not tunable"));
  EXPECT_THAT(Refusal([](auto* p) { (*p->mutable_parameters())["threads"] = "1"; }).message(),
              HasSubstr("does not define a board"));
  lab_.description.clear_features();
  lab_.Restart();
  ASSERT_TRUE(fleet_.Register(lab_).ok());
  EXPECT_THAT(Refusal([](auto*) {}).message(), HasSubstr("too old"));
}

}  // namespace
}  // namespace fleetmark
