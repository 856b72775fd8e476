// What the sensor for AMD GPUs makes of ROCm SMI's answers.
#include "agent/sampler/rocm_smi_sensor.h"

#include <unistd.h>

#include <vector>

#include "tests/unit/agent/gpu_sensor_fixture.h"

namespace fleetmark {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;
using testing::UnorderedElementsAre;

constexpr char kHotSpot[] = "0x0000001000000000";  // TEMP_HOTSPOT

class RocmSmiSensorTest : public GpuSensorTest {
 protected:
  RocmSmiSensorTest()
      : GpuSensorTest("FAKE_ROCM_SMI", {{"0.id", "0"},
                                        {"0.busy", "5"},
                                        {"1.id", "0x0123456789abcdef"},
                                        {"1.busy", "37"},
                                        {"1.vram", "2000000000"},
                                        {"1.hz", "1980000000"},
                                        {"1.millicelsius", "61000"},
                                        {"1.edge_millicelsius", "50000"},
                                        {"1.microwatts", "350500000"},
                                        {"1.average_microwatts", "300000000"},
                                        {"1.throttling", kHotSpot}}) {
    sensor_.Begin({getpid(), "cuda:1", "cuda:1"});
  }

  RocmSmiSensor sensor_{FAKE_ROCM_SMI};
};

TEST_F(RocmSmiSensorTest, ReadsAllThatTheGpuTells) {
  EXPECT_THAT(Read(&sensor_), IsState("ok", IsEmpty()));
  EXPECT_THAT(values_, UnorderedElementsAre(Pair("gpu_util_percent", 37), Pair("gpu_memory_bytes", 2e9),
                                            Pair("gpu_mhz", 1980), Pair("gpu_memory_mhz", 1980),
                                            Pair("gpu_temperature_c", 61), Pair("gpu_power_w", 350.5),
                                            Pair("gpu_throttle_heat", 1), Pair("gpu_throttle_power_cap", 0)));
}

TEST_F(RocmSmiSensorTest, ReadsTheGpuOfTheRun) {
  sensor_.Begin({getpid(), "cuda:0", "GPU-0123456789abcdef"});
  Read(&sensor_);
  EXPECT_EQ(37, values_["gpu_util_percent"]);
  sensor_.Begin({getpid(), "cuda:0", "cuda:0"});
  Read(&sensor_);
  EXPECT_EQ(5, values_["gpu_util_percent"]);
  for (const SensorSubject& subject : std::vector<SensorSubject>{
           {1, "cuda:2", "cuda:2"}, {1, "cuda:0", "GPU-11111111-1111-1111-1111-111111111111"}, {1, "cpu", "cpu"}}) {
    sensor_.Begin(subject);
    EXPECT_THAT(Read(&sensor_), IsState("absent", HasSubstr("the run"))) << subject.device_uuid;
    EXPECT_THAT(values_, IsEmpty());
  }
}

TEST_F(RocmSmiSensorTest, AnOlderVersionCostsOnlyWhatItLacks) {
  RocmSmiSensor old(FAKE_ROCM_SMI_OLD);
  old.Begin({getpid(), "cuda:1", "cuda:1"});
  EXPECT_THAT(Read(&old), IsState("failed", std::string("gpu_throttle_heat, gpu_throttle_power_cap: this version of "
                                                        "ROCm SMI does not have it")));
  EXPECT_THAT(values_, AllOf(SizeIs(6), Contains(Pair("gpu_mhz", 1980)), Contains(Pair("gpu_power_w", 300))));
}

TEST_F(RocmSmiSensorTest, AskAnOlderSensorWhereThereIsNoNewer) {
  Forget("1.millicelsius");
  Forget("1.microwatts");
  EXPECT_THAT(Read(&sensor_), IsState("ok", IsEmpty()));
  EXPECT_THAT(values_, AllOf(Contains(Pair("gpu_temperature_c", 50)), Contains(Pair("gpu_power_w", 300))));
}

TEST_F(RocmSmiSensorTest, EachFailureIsSaid) {
  Behave("code.rsmi_dev_busy_percent_get", "4");
  Forget("1.vram");
  EXPECT_THAT(Read(&sensor_), IsState("forbidden", AllOf(HasSubstr("gpu_util_percent: "), HasSubstr("more rights"),
                                                         HasSubstr("gpu_memory_bytes: this GPU does not tell"))));
  EXPECT_THAT(values_, SizeIs(6));
  Behave("code.rsmi_dev_busy_percent_get", "-1");
  Behave("1.millicelsius", "10000000");
  EXPECT_THAT(Read(&sensor_), IsState("failed", AllOf(HasSubstr("An unknown error occurred"), HasSubstr("10000 °C"))));
  EXPECT_THAT(values_, SizeIs(5));
  Behave("code.rsmi_init", "8");
  sensor_.Begin({getpid(), "cuda:1", "cuda:1"});
  EXPECT_THAT(Read(&sensor_), IsState("failed", HasSubstr("cannot be initialised")));
}

TEST_F(RocmSmiSensorTest, ANonsensicalCountIsNamed) {
  Behave("count", "100000");
  ASSERT_THAT(Read(&sensor_), IsState("failed", HasSubstr("counts 100000 GPUs")));
  Behave("count", "0xffffffff");
  EXPECT_THAT(Read(&sensor_, 10), IsState("failed", HasSubstr("counts 4294967295 GPUs")));
  EXPECT_THAT(values_, IsEmpty());
  Forget("count");
  EXPECT_THAT(Read(&sensor_, 20), IsState("ok", IsEmpty()));
}

TEST_F(RocmSmiSensorTest, AGpuThatWasLostIsReadAgain) {
  Read(&sensor_, 10);
  EXPECT_THAT(values_, SizeIs(8));
  Behave("lost", "");
  EXPECT_THAT(Read(&sensor_, 10.5), IsState("failed", HasSubstr("Problem accessing a file")));
  EXPECT_THAT(values_, IsEmpty());
  EXPECT_THAT(Read(&sensor_, 15), IsState("absent", HasSubstr("no AMD GPU")));
  Forget("lost");
  EXPECT_THAT(Read(&sensor_, 15.5), IsState("absent", HasSubstr("no AMD GPU")));  // not at once
  EXPECT_THAT(Read(&sensor_, 20), IsState("ok", IsEmpty()));
  EXPECT_THAT(values_, SizeIs(8));
}

TEST_F(RocmSmiSensorTest, ALibraryThatLostItsSessionIsInitialisedAnew) {
  Read(&sensor_, 10);
  Behave("code.rsmi_dev_busy_percent_get", "8");
  EXPECT_THAT(Read(&sensor_, 10.5), IsState("failed", HasSubstr("cannot be initialised")));
  Forget("code.rsmi_dev_busy_percent_get");
  EXPECT_THAT(Read(&sensor_, 11), IsState("failed", HasSubstr("cannot be initialised")));  // not at once
  EXPECT_THAT(values_, IsEmpty());
  EXPECT_THAT(Read(&sensor_, 20), IsState("ok", IsEmpty()));
  EXPECT_THAT(values_, SizeIs(8));
}

TEST_F(RocmSmiSensorTest, AHangEndsWithTheDriversHang) {
  Read(&sensor_);
  EXPECT_THAT(ReadThroughHang(&sensor_, "rsmi_dev_temp_metric_get", 1), IsState("ok", IsEmpty()));
  EXPECT_THAT(values_, SizeIs(8));
}

}  // namespace
}  // namespace fleetmark
