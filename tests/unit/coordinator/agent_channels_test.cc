#include "coordinator/agent_channels.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/fakes/fake_clock.h"

namespace fleetmark {
namespace {

// A soak test found it: an agent that starts again listens elsewhere, and the channel to where it was stayed for ever.
TEST(AgentChannels, GivesUpTheAddressesOfAgentsThatHaveMoved) {
  FakeClock clock;
  AgentChannels channels(false, &clock);
  for (int port = 1; port <= 100; ++port) {
    ASSERT_TRUE(channels.StubFor("127.0.0.1:" + std::to_string(port)).ok());
    ASSERT_TRUE(channels.StubFor("127.0.0.1:7810").ok());
    clock.Advance(10);
  }
  EXPECT_LE(channels.size(), 15U);
}

TEST(AgentChannels, KeepsThoseThatAreCalled) {
  FakeClock clock;
  AgentChannels channels(false, &clock);
  const auto stub = channels.StubFor("127.0.0.1:7810");
  ASSERT_TRUE(stub.ok());
  for (int i = 0; i < 100; ++i) {
    clock.Advance(30);
    EXPECT_EQ(*channels.StubFor("127.0.0.1:7810"), *stub);
  }
}

}  // namespace
}  // namespace fleetmark
