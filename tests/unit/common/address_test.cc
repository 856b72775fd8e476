#include "common/address.h"

#include <gtest/gtest.h>

namespace fleetmark {
namespace {

TEST(Address, ParsesHostsAndBothKindsOfNumbers) {
  const auto v4 = ParseAddress("127.0.0.1:7800", "--listen");
  ASSERT_TRUE(v4.ok());
  EXPECT_EQ(v4->host, "127.0.0.1");
  EXPECT_EQ(v4->port, 7800);
  const auto v6 = ParseAddress("[::1]:0", "--listen");
  ASSERT_TRUE(v6.ok());
  EXPECT_EQ(v6->host, "::1");
  EXPECT_EQ(v6->ToString(), "[::1]:0");
}

TEST(Address, RefusesWhatIsNoneAndNamesTheSetting) {
  for (const char* text :
       {"", "7800", ":7800", "host", "host:", "host:x", "host:70000", "host:-1", "::1:80", "host:80x"}) {
    const auto address = ParseAddress(text, "--listen");
    ASSERT_FALSE(address.ok()) << text;
    EXPECT_NE(address.status().message().find("--listen"), std::string::npos);
    EXPECT_FALSE(address.status().hint().empty());
  }
}

TEST(Address, KnowsLoopback) {
  EXPECT_TRUE(ParseAddress("localhost:1", "")->IsLoopback());
  EXPECT_TRUE(ParseAddress("127.3.2.1:1", "")->IsLoopback());
  EXPECT_TRUE(ParseAddress("[::1]:1", "")->IsLoopback());
  EXPECT_FALSE(ParseAddress("0.0.0.0:1", "")->IsLoopback());
  EXPECT_FALSE(ParseAddress("[::]:1", "")->IsLoopback());
  EXPECT_FALSE(ParseAddress("lab-3:1", "")->IsLoopback());
  // A name that only looks like a loopback address must be looked up, and may be anywhere.
  EXPECT_FALSE(ParseAddress("127.0.0.1.example.org:1", "")->IsLoopback());
}

TEST(Address, BeyondLoopbackNeedsInsecure) {
  const Address address{"0.0.0.0", 7800};
  const Status refused = CheckReach(address, false, "--listen");
  EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition);
  EXPECT_NE(refused.hint().find("--insecure"), std::string::npos);
  EXPECT_TRUE(CheckReach(address, true, "--listen").ok());
  EXPECT_TRUE(CheckReach(Address{"127.0.0.1", 1}, false, "--listen").ok());
}

}  // namespace
}  // namespace fleetmark
