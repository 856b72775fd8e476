// What the sensors for AMD GPUs make of the kernel's files, and which of them is taken.
#include "agent/sampler/amd_sensor.h"

#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <future>

#include "agent/sampler/amdgpu_sensor.h"
#include "tests/unit/agent/gpu_sensor_fixture.h"

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

constexpr char kHot[] = "0x0000001000000000";     // TEMP_HOTSPOT
constexpr char kCapped[] = "0x0000000000000001";  // PPT0

// The files of amdgpu, made up.
class AmdgpuSensorTest : public testing::Test {
 protected:
  AmdgpuSensorTest() {
    std::filesystem::permissions(directory_.path(), std::filesystem::perms(0755));
    Write("card0/device/vendor", "0x10de\n");
    Write("card1-DP-1/device/vendor", "0x1002\n");
    Write("card1/device/vendor", "0x1002\n");
    Write("card1/device/gpu_busy_percent", "5\n");
    Write("card10/device/vendor", "0x1002\n");
    Write("card10/device/unique_id", "0123456789abcdef\n");
    Write("card10/device/gpu_busy_percent", "37\n");
    Write("card10/device/mem_info_vram_used", "2000000000\n");
    Write("card10/device/pp_dpm_sclk", "0: 500Mhz\n1: 1980Mhz *\n2: 2500Mhz\n");
    Write("card10/device/pp_dpm_mclk", "S: 19Mhz\n0: 1000Mhz *\n");
    Write("card10/device/hwmon/hwmon3/temp1_input", "50000\n");
    Write("card10/device/hwmon/hwmon3/temp2_input", "61000\n");
    Write("card10/device/hwmon/hwmon3/power1_average", "350500000\n");
    WriteMetrics(3, kCapped);
    sensor_.Begin({1, "cuda:1", "cuda:1"});
  }

  std::filesystem::path PathOf(const std::string& name) const { return directory_.path() / name; }
  void Write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories(PathOf(name).parent_path());
    ASSERT_TRUE(WriteFileAtomically(PathOf(name), text).ok());
  }
  void WriteMetrics(char content_revision, const char* throttling) {
    std::string table(120, '\0');
    table[2] = 1;
    table[3] = content_revision;
    const uint64_t reasons = std::stoull(throttling, nullptr, 0);
    std::memcpy(table.data() + 112, &reasons, sizeof reasons);
    Write("card10/device/gpu_metrics", table);
  }
  v1::Sensor Read() {
    std::vector<Reading> readings;
    v1::Sensor state = sensor_.Read(0, &readings);
    values_.clear();
    for (const Reading& reading : readings) values_[reading.name] = reading.value;
    return state;
  }

  TemporaryDirectory directory_;
  AmdgpuSensor sensor_{directory_.path()};
  std::map<std::string, double> values_;
};

TEST_F(AmdgpuSensorTest, ReadsAllThatTheGpuTells) {
  EXPECT_THAT(Read(), IsState("ok", IsEmpty()));
  EXPECT_THAT(values_, UnorderedElementsAre(Pair("gpu_util_percent", 37), Pair("gpu_memory_bytes", 2e9),
                                            Pair("gpu_mhz", 1980), Pair("gpu_memory_mhz", 1000),
                                            Pair("gpu_temperature_c", 61), Pair("gpu_power_w", 350.5),
                                            Pair("gpu_throttle_heat", 0), Pair("gpu_throttle_power_cap", 1)));
}

TEST_F(AmdgpuSensorTest, ReadsTheGpuOfTheRun) {
  sensor_.Begin({1, "cuda:0", "GPU-0123456789abcdef"});
  Read();
  EXPECT_EQ(37, values_["gpu_util_percent"]);
  sensor_.Begin({1, "cuda:0", "cuda:0"});
  Read();
  EXPECT_EQ(5, values_["gpu_util_percent"]);
  sensor_.Begin({1, "cpu", "cpu"});
  EXPECT_THAT(Read(), IsState("absent", HasSubstr("not on a GPU")));
}

TEST_F(AmdgpuSensorTest, WhatTheGpuDoesNotHaveIsLeftOut) {
  std::filesystem::remove_all(PathOf("card10/device/hwmon"));
  WriteMetrics(4, kHot);
  EXPECT_THAT(Read(), IsState("ok", AllOf(HasSubstr("gpu_temperature_c, gpu_power_w: this GPU does not tell"),
                                          HasSubstr("gpu_throttle_heat, gpu_throttle_power_cap: gpu_metrics 1.4"))));
  EXPECT_THAT(values_, SizeIs(4));
  WriteMetrics(3, "0xffffffffffffffff");
  EXPECT_THAT(Read(), IsState("ok", HasSubstr("gpu_throttle_heat, gpu_throttle_power_cap: this GPU does not tell")));
}

TEST_F(AmdgpuSensorTest, NonsenseIsDroppedAndSaid) {
  Write("card10/device/gpu_busy_percent", "many\n");
  Write("card10/device/mem_info_vram_used", "");
  Write("card10/device/pp_dpm_sclk", "0: 500Mhz\n");
  Write("card10/device/hwmon/hwmon3/temp2_input", "10000000\n");
  Write("card10/device/gpu_metrics", "x");
  EXPECT_THAT(Read(), IsState("failed", AllOf(HasSubstr("gpu_util_percent: gpu_busy_percent holds no such number"),
                                              HasSubstr("gpu_memory_bytes: mem_info_vram_used cannot be read"),
                                              HasSubstr("gpu_mhz: pp_dpm_sclk holds"), HasSubstr("10000 °C"),
                                              HasSubstr("gpu_metrics is cut short"))));
  EXPECT_THAT(values_, UnorderedElementsAre(Key("gpu_memory_mhz"), Key("gpu_power_w")));
  Write("card10/device/gpu_metrics", std::string("\0\0\1\3 and no more", 16));
  EXPECT_THAT(Read(), IsState("failed", HasSubstr("gpu_metrics is cut short")));
}

TEST_F(AmdgpuSensorTest, WhatIsForbiddenIsSaidAndTheRestRead) {
  const auto file = PathOf("card10/device/hwmon/hwmon3/power1_average");
  std::filesystem::permissions(file, std::filesystem::perms::none);
  constexpr uid_t kNobody = 65534;
  const uid_t user = geteuid();
  ASSERT_EQ(0, seteuid(user == 0 ? kNobody : user));  // to root nothing is forbidden
  const v1::Sensor state = Read();
  ASSERT_EQ(0, seteuid(user));
  EXPECT_THAT(state, IsState("forbidden", AllOf(HasSubstr("gpu_power_w: "), HasSubstr("ermission denied"))));
  EXPECT_THAT(values_, AllOf(SizeIs(7), Not(Contains(Key("gpu_power_w")))));
}

TEST_F(AmdgpuSensorTest, AGpuMayGoAndComeBack) {
  Read();
  EXPECT_THAT(values_, SizeIs(8));
  std::filesystem::rename(PathOf("card10"), PathOf("gone"));
  EXPECT_THAT(Read(), IsState("absent", HasSubstr("none of this machine's AMD GPUs")));
  EXPECT_THAT(values_, IsEmpty());
  std::filesystem::rename(PathOf("gone"), PathOf("card10"));
  EXPECT_THAT(Read(), IsState("ok", IsEmpty()));
  std::filesystem::remove_all(directory_.path());
  EXPECT_THAT(Read(), IsState("absent", HasSubstr("no AMD GPU")));
}

class AmdSensorTest : public GpuSensorTest {
 protected:
  AmdSensorTest() : GpuSensorTest("FAKE_ROCM_SMI", {{"0.id", "0"}, {"0.busy", "5"}}) {}

  const SensorSubject subject_ = {1, "cuda:0", "cuda:0"};
};

TEST_F(AmdSensorTest, IsRocmSmiWhereItLoads) {
  const auto loaded = MakeAmdSensor({"libfleetmark-no-such-rocm.so", FAKE_ROCM_SMI}, "/nowhere");
  loaded->Begin(subject_);
  Read(loaded.get());
  EXPECT_STREQ("rocm_smi", loaded->name());
  EXPECT_THAT(values_, Contains(Pair("gpu_util_percent", 5)));
  const auto other = MakeAmdSensor({"libfleetmark-no-such-rocm.so"}, "/nowhere");
  other->Begin(subject_);
  EXPECT_THAT(Read(other.get()), IsState("absent", HasSubstr("no AMD GPU")));
  EXPECT_STREQ("amdgpu", other->name());
}

// A driver's library may hang as it is loaded: it would take whoever makes the sensors with it.
TEST_F(AmdSensorTest, LoadsNothingBeforeItIsRead) {
  const std::string library = (directory_.path() / "librocm_smi64.so").string();  // which nobody has loaded yet
  std::filesystem::copy_file(FAKE_ROCM_SMI, library);
  const auto sensor = MakeAmdSensor({library}, "/nowhere");
  sensor->Begin(subject_);
  ASSERT_FALSE(std::filesystem::exists(behaviour_path() + ".loaded"));
  Behave("hang", "load");
  auto reading = std::async(std::launch::async, [&] { return Read(sensor.get()); });
  WaitForHang();
  EXPECT_STREQ("rocm_smi", sensor->name());
  EXPECT_EQ(std::future_status::timeout, reading.wait_for(std::chrono::seconds(0)));
  Forget("hang");
  EXPECT_THAT(reading.get(), IsState("ok", HasSubstr("this GPU does not tell")));
  EXPECT_THAT(values_, Contains(Pair("gpu_util_percent", 5)));
}

}  // namespace
}  // namespace fleetmark
