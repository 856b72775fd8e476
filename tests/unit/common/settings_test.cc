#include "common/settings.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <fstream>

namespace fleetmark {
namespace {

// Every case sets its own variables, in its own process under ctest and undone here when run together.
class SettingsTest : public testing::Test {
 protected:
  SettingsTest()
      : file_(testing::TempDir() + "settings_" + testing::UnitTest::GetInstance()->current_test_info()->name()) {
    settings_.Add("listen", &listen_, "Where");
    settings_.Add("share", &share_, "Whether");
    settings_.Add("retries", &retries_, "How often");
    settings_.Add("free", &free_, "How much");
    settings_.Add("tags", &tags_, "Which");
    settings_.Add("label", &labels_, "Labels");
    settings_.AddTo(&app_);
  }
  ~SettingsTest() override {
    unsetenv("FLEETMARK_LISTEN");
    unsetenv("FLEETMARK_LABEL");
    unsetenv("FLEETMARK_RETRIES");
    std::remove(file_.c_str());
  }
  Status Parse(std::vector<std::string> words) {
    std::reverse(words.begin(), words.end());
    app_.parse(words);
    return settings_.Resolve();
  }
  void Write(const std::string& text) { std::ofstream(file_) << text; }

  std::string file_;
  std::string listen_ = "default";
  bool share_ = false;
  int retries_ = 1;
  double free_ = 0.5;
  std::vector<std::string> tags_;
  std::map<std::string, std::string> labels_;
  Settings settings_;
  CLI::App app_;
};

TEST_F(SettingsTest, FlagBeatsEnvironmentBeatsFileBeatsDefault) {
  Write("listen = \"file\"\n");
  EXPECT_TRUE(Parse({}).ok());
  EXPECT_EQ(listen_, "default");
  EXPECT_TRUE(Parse({"--config", file_}).ok());
  EXPECT_EQ(listen_, "file");
  setenv("FLEETMARK_LISTEN", "environment", 1);
  EXPECT_TRUE(Parse({"--config", file_}).ok());
  EXPECT_EQ(listen_, "environment");
  EXPECT_TRUE(Parse({"--config", file_, "--listen", "flag"}).ok());
  EXPECT_EQ(listen_, "flag");
}

TEST_F(SettingsTest, EveryKindCanBeGivenInEveryPlace) {
  Write("share = true\nretries = 3\nfree = 1.5\ntags = [\"a\", \"b\"]\n[label]\ngpu = \"v100\"\nrack = 2\n");
  ASSERT_TRUE(Parse({"--config", file_}).ok());
  EXPECT_TRUE(share_);
  EXPECT_EQ(retries_, 3);
  EXPECT_EQ(free_, 1.5);
  EXPECT_EQ(tags_, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(labels_, (std::map<std::string, std::string>{{"gpu", "v100"}, {"rack", "2"}}));
  setenv("FLEETMARK_LABEL", "a=1,b=2", 1);
  ASSERT_TRUE(Parse({"--tags", "x", "--tags", "y", "--share"}).ok());
  EXPECT_EQ(tags_, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(labels_, (std::map<std::string, std::string>{{"a", "1"}, {"b", "2"}}));
}

TEST_F(SettingsTest, MisspeltKeysAreErrorsWithPlaceAndSuggestion) {
  Write("share = true\nlissten = \"x\"\n");
  const Status status = Parse({"--config", file_});
  EXPECT_NE(status.message().find(file_ + ":2"), std::string::npos) << status.message();
  EXPECT_EQ(status.hint(), "did you mean listen?");
}

TEST_F(SettingsTest, WrongTypesNameTheirPlace) {
  setenv("FLEETMARK_RETRIES", "many", 1);
  EXPECT_NE(Parse({}).message().find("FLEETMARK_RETRIES"), std::string::npos);
  unsetenv("FLEETMARK_RETRIES");
  EXPECT_NE(Parse({"--label", "novalue"}).message().find("KEY=VALUE"), std::string::npos);
  Write("listen = [\n");
  EXPECT_NE(Parse({"--config", file_}).message().find(file_ + ":"), std::string::npos);
  EXPECT_FALSE(Parse({"--config", file_ + ".missing"}).ok());
}

}  // namespace
}  // namespace fleetmark
