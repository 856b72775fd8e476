// What the sensor for NVIDIA GPUs tells of processes that are not the run's.
#include "agent/sampler/nvml_processes.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>

#include "tests/unit/agent/nvml_sensor_fixture.h"

namespace fleetmark {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Key;
using testing::Not;
using testing::Pair;

// A worker with one child; to both of them this test is a stranger.
class NvmlNeighbours : public NvmlSensorTest {
 protected:
  NvmlNeighbours() {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) ADD_FAILURE() << "no pipe";
    worker_ = fork();
    if (worker_ == 0) {
      pid_t child = fork();
      if (child != 0 && write(ends[1], &child, sizeof child) != sizeof child) _exit(1);
      while (true) pause();
    }
    EXPECT_EQ(ssize_t{sizeof child_}, read(ends[0], &child_, sizeof child_));
    close(ends[0]);
    close(ends[1]);
    sensor_.Begin({worker_, "cuda:0", kUuid0});
    Samples("1:100:90");  // of before the run
    EXPECT_THAT(Read(&sensor_), IsState("ok", IsEmpty()));
    EXPECT_THAT(values_, Not(Contains(Key("gpu_other_util_percent"))));
  }
  ~NvmlNeighbours() override {
    kill(child_, SIGKILL);
    kill(worker_, SIGKILL);
    waitpid(worker_, nullptr, 0);
  }

  void Samples(const std::string& samples) { Behave("0.samples", samples); }
  std::string Stranger() const { return std::to_string(getpid()); }
  std::string Worker() const { return std::to_string(worker_); }
  std::string Child() const { return std::to_string(child_); }

  pid_t worker_ = 0;
  pid_t child_ = 0;
};

TEST_F(NvmlNeighbours, AreWhatDoesNotDescendFromTheWorker) {
  Samples(Worker() + ":200:30 " + Child() + ":200:20 " + Stranger() + ":200:40 " + Stranger() + ":150:9 0:200:50");
  EXPECT_THAT(Read(&sensor_), IsState("ok", IsEmpty()));
  EXPECT_EQ(40, values_.at("gpu_other_util_percent"));
  Samples(Worker() + ":300:90");
  Read(&sensor_);
  EXPECT_EQ(0, values_.at("gpu_other_util_percent"));
}

TEST_F(NvmlNeighbours, AreUnknownWithoutNewSamples) {
  Samples(Worker() + ":200:30 " + Stranger() + ":200:40 " + Stranger() + ":0:9");  // the last was never filled in
  Read(&sensor_);
  EXPECT_EQ(40, values_.at("gpu_other_util_percent"));
  EXPECT_THAT(Read(&sensor_), IsState("ok", IsEmpty()));
  EXPECT_THAT(values_, Not(Contains(Key("gpu_other_util_percent"))));
}

// As in a container, where the worker's number is not the host's.
TEST_F(NvmlNeighbours, AreUnknownWhereTheWorkerIsNot) {
  Samples(Stranger() + ":200:40");
  EXPECT_THAT(Read(&sensor_), IsState("ok", HasSubstr("NVML names no process of the run")));
  EXPECT_THAT(values_, Not(Contains(Key("gpu_other_util_percent"))));
  Behave("0.processes", Stranger() + " " + Worker());
  Samples(Stranger() + ":300:50");
  EXPECT_THAT(Read(&sensor_), IsState("ok", IsEmpty()));
  EXPECT_EQ(50, values_.at("gpu_other_util_percent"));
}

TEST_F(NvmlNeighbours, StayUnknownBetweenTwoSamplesWhereTheWorkerIsNot) {
  Samples(Stranger() + ":200:40");
  Read(&sensor_);
  EXPECT_THAT(Read(&sensor_), IsState("ok", HasSubstr("NVML names no process of the run")));
  Behave("0.processes", Worker());
  EXPECT_THAT(Read(&sensor_), IsState("ok", IsEmpty()));
  EXPECT_THAT(values_, Not(Contains(Key("gpu_other_util_percent"))));
}

// Their entries are longer than those of the oldest list, which is asked first.
TEST_F(NvmlNeighbours, AreToldByTheNewerListsOfProcessesWhereThereIsNoOther) {
  Behave("0.processes", Stranger() + " " + Worker());
  for (const char* const library : {FAKE_NVML_PROCESSES_V2, FAKE_NVML_PROCESSES_V3}) {
    NvmlSensor sensor(library);
    sensor.Begin({worker_, "cuda:0", kUuid0});
    Samples("");
    EXPECT_THAT(Read(&sensor), IsState("ok", IsEmpty())) << library;
    Samples(Stranger() + ":300:50");
    EXPECT_THAT(Read(&sensor), IsState("ok", IsEmpty())) << library;
    EXPECT_THAT(values_, Contains(Pair("gpu_other_util_percent", 50))) << library;
  }
}

TEST_F(NvmlNeighbours, DoNotIncludeAProcessOfTheRunThatHasEnded) {
  Samples(Worker() + ":200:30 " + Child() + ":200:20");
  Read(&sensor_);
  kill(worker_, SIGKILL);
  waitpid(worker_, nullptr, 0);
  Samples(Worker() + ":300:30 " + Child() + ":300:20");
  Read(&sensor_);
  EXPECT_EQ(0, values_.at("gpu_other_util_percent"));
}

TEST_F(NvmlNeighbours, OfNonsenseAreNot) {
  Samples(Worker() + ":200:30 " + Stranger() + ":200:4000000000");
  EXPECT_THAT(Read(&sensor_), IsState("failed", HasSubstr("gpu_other_util_percent: 4e+09 % cannot be true")));
  EXPECT_THAT(values_, Not(Contains(Key("gpu_other_util_percent"))));
}

}  // namespace
}  // namespace fleetmark
