#include "agent/worker/parameters.h"

#include <gtest/gtest.h>

namespace fleetmark {
namespace {

const std::vector<ParameterSpec> kSpecs = {
    {.name = "n", .type = "int", .default_value = "12288", .min = 256, .max = 32768},
    {.name = "until_ci", .type = "double", .default_value = "0", .min = 0, .max = 0.5},
    {.name = "variant", .type = "choice", .default_value = "out", .choices = {"inplace", "out"}},
};

Status Failure(const std::map<std::string, std::string>& given) { return Parameters::Parse(kSpecs, given).status(); }

TEST(Parameters, DefaultsAreOverriddenAndMadeCanonical) {
  const auto parameters = Parameters::Parse(kSpecs, {{"n", "0512"}, {"until_ci", "0.0100"}});
  ASSERT_TRUE(parameters.ok());
  EXPECT_EQ(parameters->Int("n"), 512);
  EXPECT_EQ(parameters->Text("n"), "512");
  EXPECT_DOUBLE_EQ(parameters->Double("until_ci"), 0.01);
  EXPECT_EQ(parameters->Text("until_ci"), "0.01");
  EXPECT_EQ(parameters->Text("variant"), "out");
  EXPECT_EQ(parameters->values().size(), 3u);
}

TEST(Parameters, RefusesWhatIsNotDeclaredWithASuggestion) {
  const Status status = Failure({{"varient", "out"}});
  EXPECT_EQ(status.kind(), "bad_parameter");
  EXPECT_NE(status.message().find("varient"), std::string::npos);
  EXPECT_NE(status.hint().find("variant"), std::string::npos);
}

TEST(Parameters, RefusesWrongTypes) {
  for (const char* text : {"", "x", "1.5", "1e3", "12 ", " 12", "0x10", "99999999999999999999"}) {
    EXPECT_EQ(Failure({{"n", text}}).kind(), "bad_parameter") << text;
  }
  for (const char* text : {"", "x", "nan", "inf", "0.1s", "1e999"}) {
    EXPECT_EQ(Failure({{"until_ci", text}}).kind(), "bad_parameter") << text;
  }
  EXPECT_EQ(Failure({{"variant", "Out"}}).kind(), "bad_parameter");
}

TEST(Parameters, BoundsAreInclusive) {
  EXPECT_TRUE(Failure({{"n", "256"}}).ok());
  EXPECT_TRUE(Failure({{"n", "32768"}}).ok());
  EXPECT_EQ(Failure({{"n", "255"}}).message(), "parameter n is 255, which is out of bounds");
  EXPECT_EQ(Failure({{"n", "32769"}}).hint(), "it may be from 256 to 32768");
  EXPECT_FALSE(Failure({{"n", "-1"}}).ok());
  EXPECT_FALSE(Failure({{"until_ci", "0.51"}}).ok());
}

}  // namespace
}  // namespace fleetmark
