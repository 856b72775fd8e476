#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/fakes/temporary_directory.h"
#include "tests/unit/cli/command_runner.h"
#include "tests/unit/cli/fake_coordinator.h"
#include "tests/unit/cli/sample_report.h"
#include "tests/unit/cli/sample_runs.h"

namespace fleetmark {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// `fleetmark report` against a coordinator that answers over loopback.
class ReportVerbTest : public testing::Test {
 protected:
  ReportVerbTest() {
    coordinator_.workloads = SampleOffers();
    coordinator_.references = SampleReferences();
    coordinator_.runs = SampleReportRuns();
    for (const char* agent : {"lab-3", "lab-4"}) coordinator_.agents.add_agents()->set_name(agent);
  }

  CommandResult Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "report");
    arguments.insert(arguments.end(), {"--coordinator", coordinator_.address()});
    return RunCommand(arguments);
  }
  std::string Contents(const std::string& name) const {
    std::ifstream file(directory_ / name);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  int FileCount() const {
    const std::filesystem::directory_iterator files(directory_);
    return static_cast<int>(std::distance(begin(files), end(files)));
  }

  FakeCoordinator coordinator_;
  const TemporaryDirectory temporary_;
  const std::filesystem::path directory_ = temporary_.path();
};

TEST_F(ReportVerbTest, AsksForWhatWasChosen) {
  const CommandResult result = Run({"mnist_cnn", "--set", "batch=64", "--on", "lab-3", "--on", "lab-4", "--device",
                                    "cpu", "--runtime", "libtorch", "--since", "2026-11-01Z"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("GPU against CPU"), HasSubstr("lab-4")));
  const v1::RunFilter& filter = coordinator_.filter;
  EXPECT_EQ(filter.workload(), "mnist_cnn");
  EXPECT_EQ(filter.device(), "cpu");
  EXPECT_EQ(filter.runtime(), "libtorch");
  EXPECT_EQ(filter.state(), "succeeded");
  EXPECT_GT(filter.since_unix_s(), 0);
  EXPECT_THAT(Run({"--on", "lab-3"}).out, Not(HasSubstr("lab-4")));
}

TEST_F(ReportVerbTest, JsonIsTheDocument) {
  const CommandResult result = Run({"--json"});
  ASSERT_EQ(result.exit_code, 0) << result.out;
  const nlohmann::json document = nlohmann::json::parse(result.out);
  const nlohmann::json& board = document.at("sections").at(0);
  EXPECT_EQ(board.at("title"), "mnist_cnn v1");
  EXPECT_EQ(board.at("blocks").at(1).at("table").at("rows").size(), 5u);
  EXPECT_EQ(document.at("output"), "");
  EXPECT_EQ(Run({"--json", "--format", "html"}).exit_code, 2);
}

TEST_F(ReportVerbTest, WritesFilesInTheFormatOfTheirName) {
  const std::string html = directory_ / "r.html", markdown = directory_ / "r.md", text = directory_ / "r.txt";
  EXPECT_EQ(Run({"--output", html}).out, "wrote a report of 1 board to " + html + "\n");
  EXPECT_THAT(Contents("r.html"), StartsWith("<!DOCTYPE html>"));
  EXPECT_EQ(Run({"--output", markdown}).exit_code, 0);
  EXPECT_THAT(Contents("r.md"), StartsWith("# Fleetmark report"));
  EXPECT_EQ(Run({"--output", text, "--format", "html"}).exit_code, 0);
  EXPECT_THAT(Contents("r.txt"), StartsWith("<!DOCTYPE html>"));
  EXPECT_EQ(nlohmann::json::parse(Run({"--json", "--output", html}).out).at("output"), html);
  EXPECT_EQ(FileCount(), 3);
}

TEST_F(ReportVerbTest, LeavesNoPartOfAFileBehind) {
  coordinator_.export_failure = DataLoss("the store cannot be read");
  EXPECT_EQ(Run({"--output", directory_ / "r.html"}).exit_code, 5);
  EXPECT_EQ(FileCount(), 0);
  const CommandResult nowhere = Run({"--output", "/nonexistent/r.html"});
  EXPECT_EQ(nowhere.exit_code, 2);
  EXPECT_THAT(nowhere.err, HasSubstr("cannot write /nonexistent/r.html: No such file"));
  coordinator_.export_failure = OkStatus();
  std::filesystem::create_directory(directory_ / "r.html");
  EXPECT_EQ(Run({"--output", directory_ / "r.html"}).exit_code, 2) << "a directory has that name";
  EXPECT_EQ(FileCount(), 1);
}

TEST_F(ReportVerbTest, SaysWhatIsWrong) {
  const auto error = [&](const std::vector<std::string>& arguments) {
    const CommandResult result = Run(arguments);
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_EQ(result.out, "");
    return result.err;
  };
  EXPECT_THAT(error({"mnist_cmn"}), AllOf(HasSubstr("mnist_cmn"), HasSubstr("did you mean mnist_cnn?")));
  EXPECT_THAT(error({"--on", "lab-33"}), AllOf(HasSubstr("there is no agent lab-33"), HasSubstr("lab-3")));
  EXPECT_THAT(error({"--format", "pdf"}), AllOf(HasSubstr("pdf"), HasSubstr("markdown")));
  EXPECT_THAT(error({"--set", "bacth=1"}), HasSubstr("batch"));
  EXPECT_THAT(error({"--since", "soon"}), HasSubstr("--since"));
}

TEST_F(ReportVerbTest, AnAgentThatIsGoneHasItsResultsStill) {
  coordinator_.agents.clear_agents();
  EXPECT_EQ(Run({"--on", "lab-4"}).exit_code, 0);
}

TEST_F(ReportVerbTest, WithoutResultsSaysWhatToDo) {
  coordinator_.runs.clear();
  const CommandResult result = Run({});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, AllOf(HasSubstr("No results match"), HasSubstr("fleetmark submit WORKLOAD --on all --wait")));
  EXPECT_THAT(Run({"mnist_cnn"}).out, AllOf(HasSubstr("No results yet"), HasSubstr("Asus G513QY")));
}

}  // namespace
}  // namespace fleetmark
