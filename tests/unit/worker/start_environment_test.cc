#include "agent/worker/start_environment.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <thread>

#include "common/worker_protocol.h"

namespace fleetmark {
namespace {

class StartEnvironment : public testing::Test {
 protected:
  StartEnvironment() {
    for (const char* name : {kBindVariable, kPlacesVariable, kThreadsVariable, "GOMP_CPU_AFFINITY"}) unsetenv(name);
  }
  ~StartEnvironment() override {
    for (const char* name : {kBindVariable, kPlacesVariable, kThreadsVariable, "GOMP_CPU_AFFINITY"}) unsetenv(name);
  }
  static void Set(const char* name, const char* value) { setenv(name, value, 1); }
};

TEST_F(StartEnvironment, ReadsThePinningThatIsInForce) {
  EXPECT_EQ(PinningInForce(), "none");
  Set(kBindVariable, "false");
  EXPECT_EQ(PinningInForce(), "none");
  Set(kBindVariable, "spread");
  EXPECT_EQ(PinningInForce(), "custom") << "to which places?";
  Set(kPlacesVariable, kPlaces);
  EXPECT_EQ(PinningInForce(), "custom") << "of how many threads?";
  Set(kThreadsVariable, "3");
  EXPECT_EQ(PinningInForce(), "spread");
  EXPECT_EQ(ThreadsOfPinning(), 3);
  unsetenv(kBindVariable);
  EXPECT_EQ(PinningInForce(), "custom") << "OpenMP binds to places that are named";
  Set(kBindVariable, "spread");
  Set("GOMP_CPU_AFFINITY", "0");
  EXPECT_EQ(PinningInForce(), "custom");
}

TEST_F(StartEnvironment, RefusesToReplaceABindingThatIsNotOurs) {
  Set(kBindVariable, "true");
  const Status status = EnsureStartEnvironment({AllocatorInForce(), "close", 0}, "");
  EXPECT_EQ(status.kind(), "unsupported");
  EXPECT_NE(status.hint().find(kBindVariable), std::string::npos);
}

TEST_F(StartEnvironment, AThreadLeavesThePinningOfTheOneThatMadeIt) {
  cpu_set_t all, one;
  ASSERT_EQ(sched_getaffinity(getppid(), sizeof(all), &all), 0);
  CPU_ZERO(&one);
  for (int cpu = 0; CPU_COUNT(&one) == 0; ++cpu) {
    if (CPU_ISSET(cpu, &all)) CPU_SET(cpu, &one);
  }
  cpu_set_t pinned, free;
  std::thread([&] {
    sched_setaffinity(0, sizeof(one), &one);
    LeavePinning();
    sched_getaffinity(0, sizeof(pinned), &pinned);
    Set(kBindVariable, "close");
    Set(kPlacesVariable, kPlaces);
    LeavePinning();
    sched_getaffinity(0, sizeof(free), &free);
  }).join();
  EXPECT_TRUE(CPU_EQUAL(&pinned, &one)) << "what a person pinned stays";
  EXPECT_TRUE(CPU_EQUAL(&free, &all));
}

}  // namespace
}  // namespace fleetmark
