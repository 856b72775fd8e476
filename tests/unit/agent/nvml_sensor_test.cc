// What the sensor for NVIDIA GPUs makes of each way in which NVML can answer.
#include "agent/sampler/nvml_sensor.h"

#include <unistd.h>

#include "tests/unit/agent/nvml_sensor_fixture.h"

namespace fleetmark {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Key;
using testing::Not;
using testing::Pair;
using testing::SizeIs;
using testing::UnorderedElementsAre;

TEST_F(NvmlSensorTest, ReadsAllThatTheGpuTells) {
  EXPECT_THAT(Read(&sensor_), IsState("ok", IsEmpty()));
  EXPECT_THAT(values_,
              UnorderedElementsAre(Pair("gpu_util_percent", 37), Pair("gpu_memory_bytes", 2e9), Pair("gpu_mhz", 1980),
                                   Pair("gpu_memory_mhz", 2619), Pair("gpu_temperature_c", 61),
                                   Pair("gpu_power_w", 350.5), Pair("gpu_throttle_heat", 0),
                                   Pair("gpu_throttle_power_cap", 0), Pair("gpu_throttle_power_brake", 0)));
}

TEST_F(NvmlSensorTest, ReadsTheGpuOfTheRunWhateverItsNumber) {
  Behave("1.uuid", kUuid1);
  Behave("1.util", "99");
  Read(&sensor_);
  EXPECT_EQ(37, values_["gpu_util_percent"]);
  sensor_.Begin({getpid(), "cuda:0", kUuid1});
  Read(&sensor_);
  EXPECT_EQ(99, values_["gpu_util_percent"]);
  sensor_.Begin({getpid(), "cuda:0", "GPU-22222222-2222-2222-2222-222222222222"});
  EXPECT_THAT(Read(&sensor_), IsState("failed", HasSubstr("GPU-22222222")));
  EXPECT_THAT(values_, IsEmpty());
}

TEST_F(NvmlSensorTest, GuessesNoGpu) {
  sensor_.Begin({getpid(), "cuda:0", "cuda:0"});  // a device without a UUID has its name for one
  EXPECT_THAT(Read(&sensor_), IsState("ok", IsEmpty()));
  sensor_.Begin({getpid(), "cuda:1", "cuda:1"});
  EXPECT_THAT(Read(&sensor_), IsState("failed", HasSubstr("no UUID")));
  Behave("1.uuid", kUuid1);
  sensor_.Begin({getpid(), "cuda:0", "cuda:0"});
  EXPECT_THAT(Read(&sensor_), IsState("failed", HasSubstr("no UUID")));
}

TEST_F(NvmlSensorTest, ANonsensicalCountIsNamed) {
  sensor_.Begin({getpid(), "cuda:0", "cuda:0"});
  Behave("count", "0xffffffff");
  EXPECT_THAT(Read(&sensor_), IsState("failed", HasSubstr("counts 4294967295 GPUs")));
  EXPECT_THAT(values_, IsEmpty());
}

struct Throttling {
  const char* name;
  const char* reasons;
  int heat;
  int power_cap;
  int power_brake;
};
class NvmlThrottling : public NvmlSensorTest, public testing::WithParamInterface<Throttling> {};

TEST_P(NvmlThrottling, IsToldByItsCause) {
  Behave("0.reasons", GetParam().reasons);
  EXPECT_THAT(Read(&sensor_), IsState("ok", IsEmpty()));
  EXPECT_EQ(GetParam().heat, values_.at("gpu_throttle_heat"));
  EXPECT_EQ(GetParam().power_cap, values_.at("gpu_throttle_power_cap"));
  EXPECT_EQ(GetParam().power_brake, values_.at("gpu_throttle_power_brake"));
}

INSTANTIATE_TEST_SUITE_P(
    All, NvmlThrottling,
    testing::Values(Throttling{"Idle", "0x1", 0, 0, 0}, Throttling{"SetClocks", "0x2", 0, 0, 0},
                    Throttling{"SoftwarePowerCap", "0x4", 0, 1, 0}, Throttling{"HardwareSlowdown", "0x8", 1, 0, 0},
                    Throttling{"SoftwareThermal", "0x20", 1, 0, 0}, Throttling{"HardwareThermal", "0x48", 1, 0, 0},
                    Throttling{"PowerBrake", "0x88", 0, 0, 1}, Throttling{"Everything", "0x1ff", 1, 1, 1}),
    [](const auto& param) { return param.param.name; });

TEST_F(NvmlSensorTest, WhatIsForbiddenIsSaidAndTheRestRead) {
  Behave("code.nvmlDeviceGetPowerUsage", "4");
  EXPECT_THAT(Read(&sensor_), IsState("forbidden", AllOf(HasSubstr("gpu_power_w: "), HasSubstr("more rights"))));
  EXPECT_THAT(values_, AllOf(Not(Contains(Key("gpu_power_w"))), Contains(Key("gpu_mhz")), SizeIs(8)));
  Forget("code.nvmlDeviceGetPowerUsage");
  EXPECT_THAT(Read(&sensor_), IsState("ok", IsEmpty()));
}

TEST_F(NvmlSensorTest, AForbiddenLibraryIsForbidden) {
  Behave("code.nvmlInit_v2", "4");
  EXPECT_THAT(Read(&sensor_), IsState("forbidden", HasSubstr("more rights")));
  EXPECT_THAT(values_, IsEmpty());
}

TEST_F(NvmlSensorTest, WhatTheGpuDoesNotHaveIsLeftOut) {
  Forget("0.celsius");
  Forget("0.samples");
  EXPECT_THAT(Read(&sensor_),
              IsState("ok", std::string("gpu_temperature_c, gpu_other_util_percent: this GPU does not tell")));
  EXPECT_THAT(values_, AllOf(Not(Contains(Key("gpu_temperature_c"))), SizeIs(8)));
}

TEST_F(NvmlSensorTest, AFailureHasNvmlsWords) {
  Behave("code.nvmlDeviceGetClockInfo", "10");
  EXPECT_THAT(Read(&sensor_), IsState("failed", std::string("gpu_mhz, gpu_memory_mhz: NVML says \"Timeout\"")));
  EXPECT_THAT(values_, AllOf(Not(Contains(Key("gpu_mhz"))), SizeIs(7)));
}

TEST_F(NvmlSensorTest, AGpuThatWasLostIsReadAgain) {
  Read(&sensor_, 10);
  EXPECT_THAT(values_, SizeIs(9));
  Behave("lost", "");
  EXPECT_THAT(Read(&sensor_, 10.5), IsState("failed", HasSubstr("the GPU has fallen off the bus")));
  EXPECT_THAT(values_, IsEmpty());
  Forget("lost");
  EXPECT_THAT(Read(&sensor_, 11), IsState("failed", HasSubstr("the GPU has fallen off the bus")));  // not at once
  EXPECT_THAT(Read(&sensor_, 20), IsState("ok", IsEmpty()));
  EXPECT_THAT(values_, SizeIs(9));
}

// By the thread that read it, and not by whoever destroys it, who may be in a hurry.
TEST_F(NvmlSensorTest, GivesUpItsSessionAtItsEnd) {
  const auto library = DynamicLibrary::Open(FAKE_NVML);
  ASSERT_TRUE(library.ok()) << library.status().message();
  const nvml::Api api(*library);
  unsigned count = 0;
  Read(&sensor_);
  EXPECT_EQ(nvml::kSuccess, api.get_count(&count));
  sensor_.End();
  EXPECT_EQ(nvml::kUninitialized, api.get_count(&count));
  sensor_.Begin(subject_);
  EXPECT_THAT(Read(&sensor_), IsState("ok", IsEmpty()));
}

TEST_F(NvmlSensorTest, AnOlderVersionCostsOnlyWhatItLacks) {
  NvmlSensor old(FAKE_NVML_OLD);
  old.Begin(subject_);
  Behave("0.reasons", "0x4");
  EXPECT_THAT(
      Read(&old),
      IsState("failed", std::string("gpu_power_w, gpu_other_util_percent: this version of NVML does not have it")));
  EXPECT_THAT(values_, AllOf(SizeIs(8), Contains(Pair("gpu_throttle_power_cap", 1))));
}

TEST_F(NvmlSensorTest, NonsenseIsDroppedAndSaid) {
  Behave("0.util", "300");
  Behave("0.memory_used", "90000000000");
  Behave("0.sm_mhz", "0xffffffff");
  Behave("0.celsius", "10000");
  Behave("0.milliwatts", "0xffffffff");
  EXPECT_THAT(Read(&sensor_),
              IsState("failed", AllOf(HasSubstr("gpu_util_percent: 300 % cannot be true"),
                                      HasSubstr("gpu_memory_bytes: more is used than there is"), HasSubstr("gpu_mhz: "),
                                      HasSubstr("10000 °C"), HasSubstr("gpu_power_w: "))));
  EXPECT_THAT(values_, UnorderedElementsAre(Key("gpu_memory_mhz"), Key("gpu_throttle_heat"),
                                            Key("gpu_throttle_power_cap"), Key("gpu_throttle_power_brake")));
}

TEST_F(NvmlSensorTest, AMachineWithoutNvmlHasNone) {
  NvmlSensor absent("libfleetmark-no-such-nvml.so.1");
  absent.Begin(subject_);
  EXPECT_THAT(Read(&absent), IsState("absent", HasSubstr("libfleetmark-no-such-nvml.so.1")));
  NvmlSensor other(FAKE_ROCM_SMI);
  other.Begin(subject_);
  EXPECT_THAT(Read(&other), IsState("failed", HasSubstr("is not NVML")));
  Behave("code.nvmlInit_v2", "9");
  EXPECT_THAT(Read(&sensor_), IsState("absent", HasSubstr("driver is not loaded")));
  EXPECT_THAT(values_, IsEmpty());
}

TEST_F(NvmlSensorTest, ARunOnTheCpuAsksNothing) {
  Behave("hang", "nvmlInit_v2");
  sensor_.Begin({getpid(), "cpu", "cpu"});
  EXPECT_THAT(Read(&sensor_), IsState("absent", HasSubstr("not on a GPU")));
}

TEST_F(NvmlSensorTest, AHangEndsWithTheDriversHang) {
  EXPECT_THAT(ReadThroughHang(&sensor_, "nvmlDeviceGetPowerUsage"), IsState("ok", IsEmpty()));
  EXPECT_THAT(values_, SizeIs(9));
}

}  // namespace
}  // namespace fleetmark
