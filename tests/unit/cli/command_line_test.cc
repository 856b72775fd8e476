#include "coordinator/cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "coordinator/cli/verb.h"
#include "tests/unit/cli/command_runner.h"
#include "tests/unit/cli/fake_coordinator.h"

namespace fleetmark {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// Nothing listens there: the port is reserved and needs a privilege.
constexpr char kNobody[] = "127.0.0.1:1";

nlohmann::json ErrorOf(const CommandResult& result) {
  const nlohmann::json document = nlohmann::json::parse(result.out);
  EXPECT_EQ(document.size(), 1u);
  return document.at("error");
}

TEST(CommandLineTest, EveryVerbHasHelpWithAnExampleAndExitCodes) {
  for (const NamedVerb& named : MakeVerbs()) {
    const CommandResult result = RunCommand({named.name, "--help"});
    EXPECT_EQ(result.exit_code, 0) << named.name;
    EXPECT_THAT(result.err, IsEmpty());
    EXPECT_THAT(result.out, HasSubstr(named.verb->Help().summary));
    EXPECT_THAT(result.out, HasSubstr("Usage: fleetmark " + named.name));
    EXPECT_THAT(result.out, HasSubstr("Example:\n  fleetmark " + named.name));
    for (const char* code : {"\n  0 ", "\n  2 ", "\n  3 ", "\n  5 "}) EXPECT_THAT(result.out, HasSubstr(code));
    for (const ExitCode code : named.verb->Help().exit_codes) EXPECT_THAT(result.out, HasSubstr(ExitCodeMeaning(code)));
  }
}

TEST(CommandLineTest, TheExamplesOfTheHelpCanBeParsed) {
  for (const NamedVerb& named : MakeVerbs()) {
    std::vector<std::string> words;
    bool is_quoted = false;
    std::string word;
    for (const char c : named.verb->Help().example + " ") {
      if (c == '"') {
        is_quoted = !is_quoted;
      } else if (c == ' ' && !is_quoted) {
        words.push_back(std::exchange(word, ""));
      } else {
        word += c;
      }
    }
    words.erase(words.begin());
    words.insert(words.end(), {"--coordinator", kNobody});
    const int expected = named.name == "version" ? 0 : 3;
    EXPECT_EQ(RunCommand(words).exit_code, expected) << named.verb->Help().example;
  }
}

TEST(CommandLineTest, HelpListsEveryVerb) {
  const CommandResult result = RunCommand({"--help"});
  EXPECT_EQ(result.exit_code, 0);
  for (const NamedVerb& named : MakeVerbs()) EXPECT_THAT(result.out, HasSubstr("\n  " + named.name + " "));
}

TEST(CommandLineTest, MisspeltVerbsAndFlagsGetASuggestion) {
  const CommandResult verb = RunCommand({"submti"});
  EXPECT_EQ(verb.exit_code, 2);
  EXPECT_EQ(verb.err, "error: there is no verb \"submti\"\nhint: did you mean submit?\n");
  const CommandResult flag = RunCommand({"submit", "tensor_add", "--wiat"});
  EXPECT_EQ(flag.exit_code, 2);
  EXPECT_EQ(flag.err, "error: `fleetmark submit` has no flag --wiat\nhint: did you mean --wait?\n");
  // The flag is the reason why the workload seems to be missing.
  EXPECT_THAT(RunCommand({"submit", "--rpeat=3"}).err, HasSubstr("did you mean --repeat?"));
  EXPECT_THAT(RunCommand({"agents", "drin", "lab-3"}).err, HasSubstr("did you mean drain?"));
}

TEST(CommandLineTest, WrongUsageIsTheOneJsonDocument) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"--json"},
                                                    {"--json", "submti"},
                                                    {"submit", "--json"},
                                                    {"submit", "x", "--wiat", "--json"},
                                                    {"submit", "x", "--repeat", "0", "--json"},
                                                    {"submit", "x", "--set", "batch", "--json"},
                                                    {"submit", "x", "--timeout", "soon", "--json"},
                                                    {"runs", "--since", "yesterday", "--json"},
                                                    {"export", "--format", "csv", "--json"},
                                                    {"submit", "x", "--wait-timeout", "5s", "--json"}}) {
    const CommandResult result = RunCommand(arguments);
    EXPECT_EQ(result.exit_code, 2) << result.out;
    EXPECT_THAT(result.err, IsEmpty());
    const nlohmann::json error = ErrorOf(result);
    EXPECT_EQ(error.at("code"), "invalid_argument");
    EXPECT_NE(error.at("message"), "");
    EXPECT_TRUE(error.contains("kind") && error.contains("hint"));
  }
}

TEST(CommandLineTest, NoVerbPrintsHelpAndIsWrongUsage) {
  const CommandResult result = RunCommand({});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.out, IsEmpty());
  EXPECT_THAT(result.err, HasSubstr("leaderboard"));
}

TEST(CommandLineTest, NoCoordinatorIsNamedWithItsAddressAndAHint) {
  const CommandResult text = RunCommand({"agents", "--coordinator", kNobody});
  EXPECT_EQ(text.exit_code, 3);
  EXPECT_THAT(text.err, HasSubstr("cannot reach the coordinator at 127.0.0.1:1"));
  EXPECT_THAT(text.err, HasSubstr("fleetmark-coordinator"));
  const CommandResult json = RunCommand({"--json", "agents", "--coordinator", kNobody});
  EXPECT_EQ(json.exit_code, 3);
  EXPECT_EQ(ErrorOf(json).at("kind"), "unreachable");
}

TEST(CommandLineTest, BeyondLoopbackOnlyWithInsecure) {
  const CommandResult result = RunCommand({"agents", "--coordinator", "192.0.2.1:7800"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("--insecure"));
}

TEST(CommandLineTest, FlagBeatsEnvironmentBeatsFile) {
  FakeCoordinator coordinator;
  const std::string directory = testing::TempDir() + "fleetmark_cli_" + std::to_string(getpid());
  ASSERT_EQ(std::system(("mkdir -p " + directory).c_str()), 0);
  const std::string file = directory + "/config.toml";
  std::ofstream(file) << "coordinator = \"" << coordinator.address() << "\"\n";
  EXPECT_EQ(RunCommand({"agents", "--config", file}).exit_code, 0);
  EXPECT_EQ(RunCommand({"agents", "--config", file, "--coordinator", kNobody}).exit_code, 3);
  std::ofstream(file) << "coordinatr = \"x\"\n";
  const CommandResult misspelt = RunCommand({"agents", "--config", file});
  EXPECT_EQ(misspelt.exit_code, 2);
  EXPECT_THAT(misspelt.err, HasSubstr("did you mean coordinator?"));
}

TEST(CommandLineTest, TheCoordinatorsWordsAndCodesArriveWhole) {
  FakeCoordinator coordinator;
  coordinator.failure = NotFound("there is no run \"zz\"", "fleetmark runs lists them", "no_run");
  const CommandResult result = RunCommand({"show", "zz", "--json", "--coordinator", coordinator.address()});
  EXPECT_EQ(result.exit_code, 2);
  const nlohmann::json error = ErrorOf(result);
  EXPECT_EQ(error.at("code"), "not_found");
  EXPECT_EQ(error.at("kind"), "no_run");
  EXPECT_EQ(error.at("message"), "there is no run \"zz\"");
  EXPECT_EQ(error.at("hint"), "fleetmark runs lists them");
  coordinator.failure = ResourceExhausted("the disk is full");
  EXPECT_EQ(RunCommand({"jobs", "--coordinator", coordinator.address()}).exit_code, 5);
}

}  // namespace
}  // namespace fleetmark
