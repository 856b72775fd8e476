// What each sensor makes of the kernel's files, on made-up machines.
#include "agent/sampler/host_sensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <map>
#include <string>
#include <vector>

#include "agent/sampler/all_sensors.h"
#include "tests/unit/agent/sensor_fixture.h"

namespace fleetmark {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Key;
using testing::Pair;
using testing::UnorderedElementsAre;

TEST_F(SensorTest, DisksCountOnceAndWhole) {
  const auto write = [&](int sectors_read, int sectors_written) {
    const std::string tail =
        " 0 0 " + std::to_string(sectors_read) + " 0 0 0 " + std::to_string(sectors_written) + " 0 0 0 0\n";
    std::string text;
    for (const char* name : {"sda", "sda1", "loop0", "zram0", "dm-0", "nvme0n1"}) text += "  8 0 " + (name + tail);
    machine_.Write("proc/diskstats", text + "  8 1 sdb 0\n");
  };
  for (const char* name : {"sda", "loop0", "zram0", "dm-0", "nvme0n1"}) {
    machine_.Write("sys/block/" + std::string(name) + "/size", "1");
  }
  write(100, 1000);
  Begin(MakeDiskSensor(machine_.root()));
  EXPECT_THAT(ReadAt(1).values, IsEmpty());
  write(110, 1100);
  EXPECT_THAT(ReadAt(1.5).values, UnorderedElementsAre(Pair("disk_read_bytes_per_s", 2 * 10 * 512 / 0.5),
                                                       Pair("disk_write_bytes_per_s", 2 * 100 * 512 / 0.5)));
  machine_.Remove("sys/block");
  EXPECT_EQ("absent", ReadAt(2).said.state());
}

TEST_F(SensorTest, NetworksCountWithoutTheMachineItself) {
  const auto write = [&](int received, int sent) {
    machine_.Write("proc/net/dev",
                   "Inter-|   Receive  |  Transmit\n face |bytes packets|bytes packets\n"
                   "    lo: 5 0 0 0 0 0 0 0 " +
                       std::to_string(sent * 9) + " 0\n  eth0:" + std::to_string(received) + " 0 0 0 0 0 0 0 " +
                       std::to_string(sent) + " 0 0\n");
  };
  write(1000, 50);
  Begin(MakeNetSensor(machine_.root()));
  EXPECT_THAT(ReadAt(1).values, IsEmpty());
  write(3000, 60);
  EXPECT_THAT(ReadAt(3).values,
              UnorderedElementsAre(Pair("net_receive_bytes_per_s", 1000), Pair("net_send_bytes_per_s", 5)));
  machine_.Remove("proc/net");
  EXPECT_EQ("absent", ReadAt(4).said.state());
}

TEST_F(SensorTest, AQuotaOfAnyGroupAboveTheWorkerCounts) {
  machine_.Write("proc/100/cgroup", "0::/agents/one\n");
  machine_.Write("proc/self/mountinfo", "31 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  machine_.Write("sys/fs/cgroup/agents/one/cpu.stat", "usage_usec 5\nnr_periods 0\nnr_throttled 0\nthrottled_usec 0\n");
  const auto write = [&](int periods, int held_periods, int held_usec) {
    machine_.Write("sys/fs/cgroup/agents/cpu.stat", "nr_periods " + std::to_string(periods) + "\nnr_throttled " +
                                                        std::to_string(held_periods) + "\nthrottled_usec " +
                                                        std::to_string(held_usec) + "\n");
  };
  write(10, 10, 1'000'000);
  Begin(MakeQuotaSensor(machine_.root()));
  EXPECT_EQ("ok", ReadAt(1).said.state());
  write(20, 20, 1'400'000);
  EXPECT_NEAR(40, ReadAt(2).values.at("quota_throttled_percent"), 1e-9);
  write(30, 30, 9'400'000);  // of eight CPUs all the time
  EXPECT_NEAR(100, ReadAt(3).values.at("quota_throttled_percent"), 1e-9);
  write(40, 31, 9'900'000);  // of eight CPUs, in one period of ten
  EXPECT_NEAR(10, ReadAt(4).values.at("quota_throttled_percent"), 1e-9);
}

TEST_F(SensorTest, AQuotaOfTheFirstVersionInAContainerCounts) {
  machine_.Write("proc/100/cgroup", "4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc/in\n0::/\n");
  machine_.Write("proc/self/mountinfo",
                 "30 23 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
                 "31 23 0:28 /docker/abc /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n");
  const auto write = [&](int64_t held_ns) {
    machine_.Write("sys/fs/cgroup/cpu,cpuacct/in/cpu.stat",
                   "nr_periods 1\nnr_throttled 1\nthrottled_time " + std::to_string(held_ns) + "\n");
  };
  write(0);
  Begin(MakeQuotaSensor(machine_.root()));
  ReadAt(1);
  write(250'000'000);
  EXPECT_NEAR(25, ReadAt(2).values.at("quota_throttled_percent"), 1e-9);
}

TEST_F(SensorTest, AMachineWithoutQuotasSaysSo) {
  Begin(MakeQuotaSensor(machine_.root()));
  EXPECT_EQ("absent", ReadAt(1).said.state()) << "no control groups at all";
  machine_.Write("proc/100/cgroup", "0::/agent\n");
  machine_.Write("proc/self/mountinfo", "31 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  machine_.Write("sys/fs/cgroup/agent/cpu.stat", "usage_usec 5\nuser_usec 3\nsystem_usec 2\n");
  const Answer answer = ReadAt(2);
  EXPECT_EQ("absent", answer.said.state()) << "groups without the controller";
  EXPECT_THAT(answer.values, IsEmpty());
}

TEST_F(SensorTest, ClocksAreTheMeanOverCpus) {
  Begin(MakeCpuClockSensor(machine_.root()));
  EXPECT_EQ("absent", ReadAt(0).said.state());
  machine_.Write("sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq", "1\n");
  machine_.Write("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "3000000\n");
  machine_.Write("sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq", "2000000\n");
  EXPECT_THAT(ReadAt(1).values, UnorderedElementsAre(Pair("cpu_mhz", 2500))) << "it has appeared";
  machine_.Write("sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq", "0\n");
  EXPECT_THAT(ReadAt(2).values, UnorderedElementsAre(Pair("cpu_mhz", 3000)));
  machine_.Write("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "<unknown>\n");
  EXPECT_EQ("failed", ReadAt(3).said.state());
  machine_.Remove("sys");
  EXPECT_EQ("absent", ReadAt(4).said.state()) << "it has vanished";
}

TEST_F(SensorTest, TheHottestPartOfTheCpusIsTheirTemperature) {
  Begin(MakeTemperatureSensor(machine_.root()));
  EXPECT_EQ("absent", ReadAt(0).said.state());
  machine_.Write("sys/class/hwmon/hwmon0/name", "nvme\n");
  machine_.Write("sys/class/hwmon/hwmon0/temp1_input", "99000\n");
  machine_.Write("sys/class/hwmon/hwmon1/name", "coretemp\n");
  machine_.Write("sys/class/hwmon/hwmon1/temp1_label", "Package id 0\n");
  machine_.Write("sys/class/hwmon/hwmon1/temp1_input", "61000\n");
  machine_.Write("sys/class/hwmon/hwmon1/temp2_label", "Core 0\n");
  machine_.Write("sys/class/hwmon/hwmon1/temp2_input", "98000\n");
  machine_.Write("sys/class/thermal/thermal_zone0/type", "x86_pkg_temp\n");
  machine_.Write("sys/class/thermal/thermal_zone0/temp", "62500\n");
  machine_.Write("sys/class/thermal/thermal_zone1/type", "iwlwifi_1\n");
  machine_.Write("sys/class/thermal/thermal_zone1/temp", "90000\n");
  EXPECT_THAT(ReadAt(1).values, UnorderedElementsAre(Pair("cpu_temperature_c", 62.5)));
  machine_.Remove("sys/class/thermal");
  EXPECT_THAT(ReadAt(2).values, UnorderedElementsAre(Pair("cpu_temperature_c", 61)));
  machine_.Write("sys/class/hwmon/hwmon1/name", "k10temp\n");
  machine_.Remove("sys/class/hwmon/hwmon1/temp1_label");
  Begin(MakeTemperatureSensor(machine_.root()));
  EXPECT_THAT(ReadAt(3).values, UnorderedElementsAre(Pair("cpu_temperature_c", 98)));
}

TEST_F(SensorTest, HeatThrottlesOfCoresAddUpAndThoseOfAPackageDoNot) {
  const auto write = [&](int core, int package) {
    for (const char* cpu : {"cpu0", "cpu1"}) {
      const std::string directory = "sys/devices/system/cpu/" + std::string(cpu) + "/thermal_throttle/";
      machine_.Write(directory + "core_throttle_count", std::to_string(core));
      machine_.Write(directory + "package_throttle_count", std::to_string(package));
    }
  };
  machine_.Write("sys/devices/system/cpu/cpu0/topology/core_id", "0");
  Begin(MakeHeatThrottleSensor(machine_.root()));
  EXPECT_EQ("absent", ReadAt(0).said.state());
  write(3, 5);
  Begin(MakeHeatThrottleSensor(machine_.root()));
  EXPECT_THAT(ReadAt(1).values, IsEmpty());
  write(4, 9);
  EXPECT_THAT(ReadAt(3).values, UnorderedElementsAre(Pair("cpu_heat_throttles_per_s", (1 + 1 + 4) / 2.0)));
}

class RaplTest : public SensorTest {
 protected:
  void WriteEnergy(int package, double joules) {
    machine_.Write(Directory(package) + "energy_uj", std::to_string(static_cast<int64_t>(1e6 * joules)) + "\n");
  }
  static std::string Directory(int package) { return "sys/class/powercap/intel-rapl:" + std::to_string(package) + "/"; }
  void SetUp() override {
    for (const int package : {0, 1}) {
      machine_.Write(Directory(package) + "name", "package-" + std::to_string(package) + "\n");
      machine_.Write(Directory(package) + "max_energy_range_uj", "1000000000\n");
      WriteEnergy(package, 100);
    }
    machine_.Write(Directory(2) + "name", "psys\n");
    machine_.Write("sys/class/powercap/intel-rapl:0:0/name", "core\n");
    Begin(MakeRaplSensor(machine_.root()));
  }
};

TEST_F(RaplTest, PowerIsThatOfAllPackages) {
  EXPECT_THAT(ReadAt(1).values, IsEmpty());
  WriteEnergy(0, 150);
  WriteEnergy(1, 130);
  EXPECT_NEAR(40, ReadAt(3).values.at("package_power_w"), 1e-9);
}

TEST_F(RaplTest, ACounterThatBeganAgainGoesOn) {
  WriteEnergy(0, 990);
  ReadAt(1);
  WriteEnergy(0, 10);
  EXPECT_NEAR(20, ReadAt(2).values.at("package_power_w"), 1e-9);
}

TEST_F(RaplTest, ACounterThatWentBackAndNobodyKnowsWhereIsNotShown) {
  machine_.Remove(Directory(0) + "max_energy_range_uj");
  Begin(MakeRaplSensor(machine_.root()));
  ReadAt(1);
  WriteEnergy(0, 10);
  EXPECT_THAT(ReadAt(2).values, IsEmpty());
}

TEST_F(RaplTest, ThePowerOfSomePackagesIsNotShownForAll) {
  ReadAt(1);
  machine_.Forbid(Directory(1) + "energy_uj");
  const WithoutRoot without_root;
  const Answer answer = ReadAt(2);
  EXPECT_EQ("forbidden", answer.said.state());
  EXPECT_THAT(answer.said.why(), HasSubstr("intel-rapl:1/energy_uj: Permission denied"));
  EXPECT_THAT(answer.values, IsEmpty());
}

TEST_F(RaplTest, AMachineWithoutItSaysSo) {
  machine_.Remove("sys");
  Begin(MakeRaplSensor(machine_.root()));
  EXPECT_EQ("absent", ReadAt(1).said.state());
}

TEST(MakeSensors, ReadThisMachineWithoutHarm) {
  std::map<std::string, std::string> said;
  std::vector<Reading> readings;
  const SensorSubject subject = {getpid(), "cuda:0", "GPU-00000000-0000-0000-0000-000000000000"};
  for (const auto& sensor : MakeSensors(subject)) {
    sensor->Begin(subject);
    said[sensor->name()] = sensor->Read(0, &readings).state();
  }
  EXPECT_THAT(said, IsSupersetOf({Pair("proc", "ok")}));
  EXPECT_THAT(said, Contains(Key(testing::AnyOf("nvml", "rocm_smi", "amdgpu"))));
  std::vector<std::string> names;
  for (const Reading& reading : readings) names.push_back(reading.name);
  EXPECT_THAT(names, IsSupersetOf({"load1", "memory_used_bytes", "worker_rss_bytes"}));
}

TEST(MakeSensors, ARunOnTheCpuIsAskedNothingAboutGpus) {
  for (const auto& sensor : MakeSensors({getpid(), "cpu", "cpu"})) EXPECT_STRNE("nvml", sensor->name());
}

}  // namespace
}  // namespace fleetmark
