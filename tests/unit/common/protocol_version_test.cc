#include "common/protocol_version.h"

#include <gtest/gtest.h>

namespace fleetmark {
namespace {

StatusOr<int> Between(ProtocolRange here, ProtocolRange there) {
  return NegotiateProtocol({"the coordinator", here}, {"agent lab-1", there});
}

TEST(ProtocolVersion, ThisBuildSpeaksTheNewestAndTheOneBeforeIt) {
  EXPECT_EQ(kThisProtocol.min, kThisProtocol.max - 1);
  EXPECT_EQ(SpokenProtocols().max, kThisProtocol.max);
}

TEST(ProtocolVersion, OneApartIsSpokenAsTheOlderDoes) {
  EXPECT_EQ(*Between({1, 2}, {1, 2}), 2);
  EXPECT_EQ(*Between({1, 2}, {2, 3}), 2);
  EXPECT_EQ(*Between({2, 3}, {1, 2}), 2);
  EXPECT_EQ(*Between({1, 2}, {1, 1}), 1);
}

TEST(ProtocolVersion, FurtherApartTheOlderIsToBeUpgraded) {
  const Status newer = Between({1, 2}, {3, 4}).status();
  EXPECT_EQ(newer.kind(), "protocol");
  EXPECT_EQ(newer.message(), "agent lab-1 speaks protocol 3 to 4, the coordinator 1 to 2");
  EXPECT_EQ(newer.hint(), "upgrade the coordinator");
  EXPECT_EQ(Between({3, 4}, {1, 2}).status().hint(), "upgrade agent lab-1");
  EXPECT_EQ(Between({1, 2}, {0, 0}).status().hint(), "upgrade agent lab-1") << "one that says nothing";
  EXPECT_FALSE(Between({1, 2}, {2, 1}).ok()) << "nonsense";
}

TEST(ProtocolVersion, TravelsAsText) {
  const StatusOr<ProtocolRange> range = ParseProtocols(FormatProtocols({7, 19}));
  ASSERT_TRUE(range.ok());
  EXPECT_EQ(range->min, 7);
  EXPECT_EQ(range->max, 19);
  for (const char* text : {"", "1", "1-", "-2", "1-2 ", "a-b", "1-99999999999"})
    EXPECT_FALSE(ParseProtocols(text).ok()) << text;
}

}  // namespace
}  // namespace fleetmark
