#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "agent/sampler/host_sensors.h"
#include "tests/unit/agent/sensor_fixture.h"

namespace fleetmark {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Key;
using testing::Not;
using testing::Pair;
using testing::UnorderedElementsAre;

const auto kTicks = static_cast<double>(sysconf(_SC_CLK_TCK));

// /proc/PID/stat of a process whose name does its worst.
std::string Stat(double user, double system, double children = 0, int start = 5, int rss_pages = 0, int faults = 0) {
  const auto text = [](double value) { return std::to_string(static_cast<int64_t>(value)); };
  return "1 (a) R (b) S 1 1 1 0 -1 0 " + std::to_string(faults) + " 40 7 7 " + text(user) + " " + text(system) + " " +
         text(children) + " 0 20 0 1 0 " + text(start) + " 1000 " + text(rss_pages) + " 0 0\n";
}

class ProcSensorTest : public SensorTest {
 protected:
  // Seconds of CPU time since the start, of the machine's two CPUs and of those who used them.
  struct Times {
    double cpu0 = 0, cpu1 = 0, stolen = 0, worker = 0, agent = 0;
    int worker_faults = 0;
  };
  void WriteAll(const Times& times) {
    const auto line = [](const std::string& name, double busy, double stolen) {
      const auto ticks = [](double seconds) { return std::to_string(static_cast<int64_t>(seconds * kTicks)); };
      return name + " " + ticks(busy) + " 0 0 123456 4000 0 0 " + ticks(stolen) + " 99 99\n";
    };
    machine_.Write("proc/stat", line("cpu ", times.cpu0 + times.cpu1, times.stolen) + line("cpu0", times.cpu0, 0) +
                                    line("cpu1", times.cpu1, times.stolen) + "intr 5 6\nctxt 7\n");
    machine_.Write("proc/self/stat", Stat(times.agent * kTicks, 0, 1000 * kTicks));  // its children are not itself
    WriteProcess(kWorker, Stat(times.worker * kTicks / 2, times.worker * kTicks / 2, 0, 5, 10, times.worker_faults));
  }
  void WriteProcess(int pid, const std::string& stat, const std::string& children = "") {
    const std::string directory = "proc/" + std::to_string(pid);
    machine_.Write(directory + "/stat", stat);
    machine_.Write(directory + "/task/" + std::to_string(pid) + "/children", children);
  }
  void SetUp() override {
    machine_.Write("proc/thread-self/children", "");
    machine_.Write("proc/loadavg", "1.50 2.00 3.00 1/100 999\n");
    machine_.Write("proc/meminfo", "MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 400 kB\n");
    WriteAll({});
    Begin(MakeProcSensor(machine_.root()));
  }
};

TEST_F(ProcSensorTest, TellsWhoUsedTheMachine) {
  const Answer first = ReadAt(1);
  EXPECT_EQ("ok", first.said.state());
  const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  EXPECT_THAT(first.values, UnorderedElementsAre(Pair("load1", 1.5), Pair("memory_used_bytes", 600 * 1024.0),
                                                 Pair("worker_rss_bytes", 10 * page)))
      << "nothing is known of times yet";
  WriteAll({.cpu0 = 2, .cpu1 = 1, .stolen = 0.5, .worker = 2.2, .agent = 0.1, .worker_faults = 600});
  const Answer second = ReadAt(3);
  EXPECT_DOUBLE_EQ(150, second.values.at("cpu_percent"));
  EXPECT_DOUBLE_EQ(100, second.values.at("cpu_percent.0"));
  EXPECT_DOUBLE_EQ(50, second.values.at("cpu_percent.1"));
  EXPECT_DOUBLE_EQ(25, second.values.at("steal_percent"));
  EXPECT_DOUBLE_EQ(110, second.values.at("worker_cpu_percent"));
  EXPECT_DOUBLE_EQ(55, second.values.at("worker_system_percent"));
  EXPECT_DOUBLE_EQ(300, second.values.at("worker_page_faults_per_s")) << "its children's stay the same";
  EXPECT_DOUBLE_EQ(5, second.values.at("agent_cpu_percent"));
  EXPECT_NEAR(35, second.values.at("other_cpu_percent"), 1e-9);
}

TEST_F(ProcSensorTest, NobodyElseUsedLessThanNothing) {
  ReadAt(1);
  WriteAll({.cpu0 = 1, .worker = 1.1});
  EXPECT_EQ(0, ReadAt(2).values.at("other_cpu_percent"));
}

TEST_F(ProcSensorTest, DescendantsAreTheWorkersAlsoWhenTheyHaveLeftIt) {
  ReadAt(1);
  WriteProcess(kWorker, Stat(0, 0), "101");
  WriteProcess(101, Stat(1 * kTicks, 0, 0, 7, 1), "102 ");
  WriteProcess(102, Stat(0, 0.5 * kTicks, 0, 8, 2));
  EXPECT_DOUBLE_EQ(150, ReadAt(2).values.at("worker_cpu_percent"));
  // The one in between is gone and its time the worker's; the other is nobody's child any more and goes on.
  WriteProcess(kWorker, Stat(0, 0, 1 * kTicks));
  machine_.Remove("proc/101");
  WriteProcess(102, Stat(0, 1 * kTicks, 0, 8, 2));
  EXPECT_DOUBLE_EQ(50, ReadAt(3).values.at("worker_cpu_percent"));
  // A stranger with its pid is none of the family, and time that went with it is no negative time.
  WriteProcess(102, Stat(70 * kTicks, 0, 0, 9));
  const Answer with_stranger = ReadAt(4);
  EXPECT_THAT(with_stranger.values, Not(Contains(Key("worker_cpu_percent"))));
  EXPECT_THAT(with_stranger.values, Not(Contains(Key("other_cpu_percent"))));
  EXPECT_EQ(0, ReadAt(5).values.at("worker_cpu_percent"));
}

TEST_F(ProcSensorTest, AWorkerThatHasEndedIsLeftOut) {
  ReadAt(1);
  machine_.Remove("proc/" + std::to_string(kWorker));
  const Answer answer = ReadAt(2);
  EXPECT_EQ("ok", answer.said.state());
  EXPECT_THAT(answer.values, Not(Contains(Key("worker_cpu_percent"))));
  EXPECT_THAT(answer.values, Not(Contains(Key("other_cpu_percent"))));
  EXPECT_THAT(answer.values, Contains(Key("cpu_percent")));
}

TEST_F(ProcSensorTest, AKernelWithoutListsOfChildrenIsNamed) {
  machine_.Remove("proc/thread-self");
  const Answer answer = ReadAt(1);
  EXPECT_EQ("failed", answer.said.state());
  EXPECT_THAT(answer.said.why(), HasSubstr("CONFIG_PROC_CHILDREN"));
  EXPECT_THAT(answer.values, Contains(Key("load1"))) << "the rest is known";
}

TEST_F(ProcSensorTest, CountersThatGoBackAreNotShown) {
  WriteAll({.cpu0 = 5, .cpu1 = 5, .worker = 5, .agent = 5, .worker_faults = 5});
  ReadAt(1);
  WriteAll({.cpu0 = 1, .cpu1 = 6, .worker = 1, .agent = 1});
  EXPECT_THAT(ReadAt(2).values, UnorderedElementsAre(Key("cpu_percent.1"), Key("steal_percent"), Key("load1"),
                                                     Key("memory_used_bytes"), Key("worker_rss_bytes")));
}

TEST_F(ProcSensorTest, RubbishIsNoNumber) {
  machine_.Write("proc/stat", "cpu  a b c\ncpu0\ncpu1 1\nrubbish");
  machine_.Write("proc/self/stat", "no process");
  machine_.Write("proc/loadavg", "");
  machine_.Write("proc/meminfo", "MemTotal:\nMemAvailable: kB\n");
  WriteProcess(kWorker, "");
  for (const double now_s : {1, 2}) EXPECT_THAT(ReadAt(now_s).values, IsEmpty());
  machine_.Remove("proc/stat");
  EXPECT_EQ("absent", ReadAt(3).said.state());
}

}  // namespace
}  // namespace fleetmark
