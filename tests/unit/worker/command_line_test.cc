#include "agent/worker/command_line.h"

#include <gtest/gtest.h>

namespace fleetmark {
namespace {

TEST(CommandLine, RunWithOptionsInEitherForm) {
  const auto command = ParseCommandLine({"run", "tensor_add", "--set", "n=512", "--set=variant=out", "--device=cpu",
                                         "--profile", "tuned", "--dataset-dir", "/data"});
  ASSERT_TRUE(command.ok());
  ASSERT_TRUE(command->spec.has_value());
  EXPECT_EQ(command->spec->workload, "tensor_add");
  EXPECT_EQ(command->spec->parameters.at("n"), "512");
  EXPECT_EQ(command->spec->parameters.at("variant"), "out");
  EXPECT_EQ(command->spec->profile, "tuned");
  EXPECT_EQ(command->spec->dataset_dir, "/data");
}

TEST(CommandLine, RunAloneReadsStandardInput) {
  const auto command = ParseCommandLine({"run"});
  ASSERT_TRUE(command.ok());
  EXPECT_EQ(command->verb, CommandLine::Verb::kRun);
  EXPECT_FALSE(command->spec.has_value());
}

TEST(CommandLine, HelpWinsWhereverItStands) {
  EXPECT_EQ(ParseCommandLine({"run", "tensor_add", "--help"})->verb, CommandLine::Verb::kHelp);
}

TEST(CommandLine, RefusesWhatItDoesNotKnow) {
  const std::vector<std::vector<std::string>> wrong = {{},
                                                       {"rum"},
                                                       {"describe", "it"},
                                                       {"run", "a", "b"},
                                                       {"run", "a", "--sett", "n=1"},
                                                       {"run", "a", "--set"},
                                                       {"run", "a", "--set", "n"},
                                                       {"run", "a", "--set", "=1"},
                                                       {"run", "a", "--set", "n=1", "--set", "n=2"},
                                                       {"run", "--device", "cpu"}};
  for (const auto& arguments : wrong) EXPECT_EQ(ParseCommandLine(arguments).status().kind(), "bad_parameter");
  EXPECT_NE(ParseCommandLine({"rum"}).status().hint().find("run"), std::string::npos);
  EXPECT_NE(ParseCommandLine({"run", "a", "--devic", "cpu"}).status().hint().find("--device"), std::string::npos);
}

}  // namespace
}  // namespace fleetmark
