#include "agent/event_collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fleetmark::agent {
namespace {

using testing::HasSubstr;

std::string CeilingLine(const std::string& resource, const std::string& dtype, const std::string& rate,
                        const std::string& measured = "7") {
  return R"({"ceiling":{"resource":")" + resource + R"(","dtype":")" + dtype + R"(","rate":)" + rate +
         R"(,"measured_unix_s":)" + measured + "}}\n";
}

TEST(EventCollector, KeepsTheLastCeilingOfEachResourceAndDtype) {
  EventCollector events([](v1::RunEvent) {});
  EXPECT_TRUE(events.Feed(CeilingLine("memory", "", "1e11") + CeilingLine("arithmetic", "fp32", "2e11") +
                          CeilingLine("arithmetic", "bf16", "3e11") + CeilingLine("memory", "", "9e10")))
      << events.breach();
  ASSERT_EQ(events.result().ceilings_size(), 3);
  EXPECT_EQ(events.result().ceilings(0).rate(), 9e10);
  EXPECT_EQ(events.result().ceilings(0).measured_unix_s(), 7);
  EXPECT_EQ(events.result().ceilings(1).rate(), 2e11);
  EXPECT_EQ(events.result().ceilings(2).dtype(), "bf16");
}

TEST(EventCollector, ACeilingThatCannotBeIsABreachThatNamesTheLine) {
  for (const std::string& line :
       {CeilingLine("memory", "", "0"), CeilingLine("memory", "", "-1"), CeilingLine("memory", "", "\"NaN\""),
        CeilingLine("memory", "", "\"Infinity\""), CeilingLine("memory", "", "5", "\"NaN\""), CeilingLine("", "", "5"),
        CeilingLine("patience", "", "5")}) {
    EventCollector events([](v1::RunEvent) {});
    EXPECT_FALSE(events.Feed("{\"phase\":{\"name\":\"measure\"}}\n" + line)) << line;
    EXPECT_THAT(events.breach(), HasSubstr("line 2 of the runner's events")) << line;
    EXPECT_EQ(events.result().ceilings_size(), 0) << line;
  }
}

}  // namespace
}  // namespace fleetmark::agent
