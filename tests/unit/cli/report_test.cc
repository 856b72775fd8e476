// What a report says: boards, ratios, calls and published numbers.
#include "coordinator/cli/report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "coordinator/cli/report/board.h"
#include "coordinator/cli/report/call_table.h"
#include "coordinator/cli/report/published.h"
#include "coordinator/cli/report/ratio.h"
#include "coordinator/cli/report/ratio_tables.h"
#include "coordinator/cli/report/result_table.h"
#include "coordinator/cli/report/thin.h"
#include "coordinator/references.h"
#include "tests/unit/cli/sample_report.h"
#include "tests/unit/cli/sample_runs.h"

namespace fleetmark {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(Ratio, PutsBothIntervalsTogetherOnTheLogScale) {
  // 3 % and 4 % of a log: 5 %.
  const Estimate one{200, 200 * std::exp(-0.03), 200 * std::exp(0.03)};
  const Estimate other{100, 100 * std::exp(-0.04), 100 * std::exp(0.04)};
  const std::optional<SpeedRatio> rate = CompareSpeed(one, other, false);
  ASSERT_TRUE(rate);
  EXPECT_DOUBLE_EQ(rate->times, 2);
  EXPECT_NEAR(*rate->ci_low, 2 * std::exp(-0.05), 1e-12);
  EXPECT_NEAR(*rate->ci_high, 2 * std::exp(0.05), 1e-12);
  EXPECT_DOUBLE_EQ(CompareSpeed(one, other, true)->times, 0.5) << "of times less is faster";
}

TEST(Ratio, AnIntervalThatLeansToOneSideKeepsItsSides) {
  const Estimate one{10, 9, 10.1}, sharp{5, 5, 5};
  const std::optional<SpeedRatio> rate = CompareSpeed(one, sharp, false);
  EXPECT_NEAR(*rate->ci_low, 9.0 / 5, 1e-12);
  EXPECT_NEAR(*rate->ci_high, 10.1 / 5, 1e-12);
  const std::optional<SpeedRatio> time = CompareSpeed(one, sharp, true);
  EXPECT_NEAR(*time->ci_low, 5 / 10.1, 1e-12);
  EXPECT_NEAR(*time->ci_high, 5.0 / 9, 1e-12);
}

TEST(Ratio, MakesNothingUp) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double value : {0.0, -1.0, nan, std::numeric_limits<double>::infinity()}) {
    EXPECT_FALSE(CompareSpeed({value, {}, {}}, {1, {}, {}}, false)) << value;
    EXPECT_FALSE(CompareSpeed({1, {}, {}}, {value, {}, {}}, true)) << value;
  }
  EXPECT_FALSE(CompareSpeed({2, 1.9, 2.1}, {1, {}, {}}, false)->ci_low) << "one interval is not enough";
  EXPECT_FALSE(CompareSpeed({2, -1, 2.1}, {1, 0.9, 1.1}, false)->ci_low) << "it has no log";
  EXPECT_FALSE(CompareSpeed({2, 2.5, 3}, {1, 0.9, 1.1}, false)->ci_low) << "it does not hold its value";
}

TEST(Ratio, OfTimesThatWereAllTheSameItHasAnInterval) {
  const double rounded = std::nextafter(10.0, 11.0);  // the ends of an interval of no width
  const std::optional<SpeedRatio> rate = CompareSpeed({10, rounded, rounded}, {5, 5, 5}, false);
  ASSERT_TRUE(rate->ci_low);
  EXPECT_DOUBLE_EQ(*rate->ci_low, 2);
  EXPECT_DOUBLE_EQ(*rate->ci_high, 2);
}

TEST(Ratio, TimeSavedIsNeverRoundedUp) {
  EXPECT_EQ(FormatTimeSaved(4), "75.00 %");
  EXPECT_EQ(FormatTimeSaved(1.25), "20.00 %");
  EXPECT_EQ(FormatTimeSaved(1e6), "99.99 %");
  EXPECT_EQ(FormatTimeSaved(0.5), "-100.00 %");
}

TEST(Ratio, AgreesWithinAUnitOfTheLastDigitSaid) {
  EXPECT_EQ(AgreesWithClaim("159x", 159.9), true);
  EXPECT_EQ(AgreesWithClaim("159x", 160.1), false);
  EXPECT_EQ(AgreesWithClaim("75.0 %", 4), true);
  EXPECT_EQ(AgreesWithClaim("74.5 %", 4), false);
  EXPECT_EQ(AgreesWithClaim("much faster", 4), std::nullopt);
}

// The articles' own ratios, from their rows as they are in the tree.
TEST(Published, TheRatiosOfTheArticlesComeOutOfTheirRows) {
  const auto read = ReadReferences(FLEETMARK_REFERENCE_DIR);
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  std::vector<v1::Reference> references;
  for (const Reference& reference : *read) references.push_back(ToProto(reference));
  std::map<std::string, const PublishedRatio*> claimed;
  const std::vector<PublishedRatio> ratios = RecomputePublished(references);
  for (const PublishedRatio& ratio : ratios) {
    if (ratio.claim.empty()) continue;
    EXPECT_EQ(AgreesWithClaim(ratio.claim, ratio.times), true) << ratio.claim << " " << ratio.times;
    EXPECT_EQ(claimed.count(ratio.claim), 0u) << "said once: " << ratio.claim;
    claimed[ratio.claim] = &ratio;
  }
  ASSERT_THAT(claimed, SizeIs(3));
  const PublishedRatio& calls = *claimed.at("159x");
  EXPECT_EQ(std::floor(calls.times), 159);
  EXPECT_EQ(calls.one.workload() + " " + calls.one.metric(), "cifar_resnet63 wall_s");
  EXPECT_EQ(calls.one.device() + ", " + calls.other.device(), "NVIDIA GeForce GTX 1080, Intel Core i5 2.6 GHz");
  const PublishedRatio& lenet = *claimed.at("98.99 %");
  EXPECT_EQ(FormatTimeSaved(lenet.times), "98.99 %");
  EXPECT_EQ(lenet.one.workload() + " " + lenet.one.metric(), "cifar_lenet epoch_s");
  // The article rounds up what its rows make 84.43 %.
  const PublishedRatio& training = *claimed.at("85 %");
  EXPECT_NEAR(TimeSaved(training.times), 1 - 745.4602980613708 / 4787.4720940589905, 1e-12);
  EXPECT_EQ(training.one.workload() + " " + training.one.metric(), "image_cnn_58m total_s");
}

TEST(Published, ComparesOnlyWhatBelongsTogether) {
  const auto references = SampleReferences().references();
  std::vector<std::string> compared;
  for (const PublishedRatio& ratio : RecomputePublished({references.begin(), references.end()})) {
    compared.push_back(ratio.one.device_kind() + " " + ratio.one.runtime() + " against " + ratio.other.device_kind() +
                       " " + ratio.other.runtime() + " " + FormatTimes(ratio.times));
  }
  EXPECT_THAT(compared, testing::UnorderedElementsAre(
                            "gpu tensorflow against cpu tensorflow 10.38x", "gpu pytorch against cpu pytorch 4.164x",
                            "cpu pytorch against cpu tensorflow 1.428x", "gpu tensorflow against gpu pytorch 1.746x"));
}

TEST(Boards, ShowTheNewestJobsRunInTheMiddle) {
  std::vector<v1::RunInfo> runs;
  for (const double value : {100.0, 9000.0, 2000.0, 3000.0})
    runs.push_back(SampleMeasured("c1", "cpu", "libtorch", value));
  runs[0].set_job_id("the job before");
  for (int i = 1; i < 4; ++i) runs[static_cast<size_t>(i)].set_repetition(i);
  const std::vector<ReportBoard> boards = SampleBoards(runs);
  ASSERT_THAT(boards, SizeIs(1));
  ASSERT_THAT(boards[0].series, SizeIs(1));
  EXPECT_THAT(boards[0].series[0].runs, SizeIs(3));
  EXPECT_EQ(boards[0].series[0].run().result().metrics(0).value(), 3000);
}

TEST(Boards, AreNeverMixed) {
  std::vector<v1::RunInfo> runs;
  for (int i = 0; i < 5; ++i) runs.push_back(SampleMeasured("c" + std::to_string(i), "cpu", "libtorch", 1000 + i));
  (*runs[0].mutable_parameters())["batch"] = "128";
  runs[1].set_workload_version(2);
  (*runs[2].mutable_parameters())["threads"] = "1";
  runs[4].set_unranked(true);
  runs[4].set_profile("stock");
  const std::vector<ReportBoard> boards = SampleBoards(runs);
  std::vector<std::string> found;
  for (const ReportBoard& board : boards) {
    for (const ReportSeries& series : board.series) {
      found.push_back("v" + std::to_string(board.workload.version()) + " " + board.key + ": " + series.profile);
    }
  }
  EXPECT_THAT(found, ElementsAre("v1 batch=128: tuned", "v1 batch=64: tuned", "v1 batch=64: tuned threads=1",
                                 "v2 batch=64: tuned"));
}

TEST(Boards, HoldOnlyWhatWasChosen) {
  std::vector<v1::RunInfo> runs = SampleReportRuns();
  ReportChoice choice;
  choice.agents = {"lab-4"};
  EXPECT_THAT(SampleBoards(runs, choice).at(0).series, SizeIs(1));
  choice = {};
  choice.parameters = {{"batch", "128"}};
  EXPECT_THAT(SampleBoards(runs, choice), IsEmpty());
  choice.parameters = {{"batch", "64"}};
  EXPECT_THAT(SampleBoards(runs, choice).at(0).series, SizeIs(4));
}

TEST(Boards, RefuseWhatThereIsNot) {
  const auto make = [](const ReportChoice& choice) {
    return ReportCollector::Make(choice, SampleOffers(), SampleReferences()).status();
  };
  ReportChoice choice;
  choice.workloads = {"mnist_cmn"};
  EXPECT_THAT(make(choice).ToString(), HasSubstr("did you mean mnist_cnn?"));
  choice.workloads.clear();
  choice.parameters = {{"bacth", "64"}};
  EXPECT_THAT(make(choice).ToString(), HasSubstr("batch"));
  choice.parameters = {{"threads", "1"}};
  EXPECT_FALSE(make(choice).ok()) << "it defines no board";
}

TEST(Boards, PublishedRowsStandAloneWhereTheyAreAskedFor) {
  EXPECT_THAT(SampleBoards({}), IsEmpty());
  ReportChoice choice;
  choice.workloads = {"mnist_cnn"};
  const std::vector<ReportBoard> boards = SampleBoards({}, choice);
  ASSERT_THAT(boards, SizeIs(1));
  EXPECT_EQ(boards[0].published.size(), 5u);
}

TEST(Results, PublishedRowsThatAreFlaggedSayWhatTheyAre) {
  ReportBoard board = SampleBoards({SampleMeasured("c1", "cpu", "libtorch", 1000)}).at(0);
  board.published.back().mutable_verdict()->set_kind("THROTTLED");
  v1::ReportSection section;
  AddResults(board, &section);
  const v1::ReportRow& row = section.blocks(0).table().rows(1);
  EXPECT_EQ(row.kind() + " " + row.cells(4) + " " + row.cells(7), "published 1834! THROTTLED");
}

// "gpu-box cuda:0 against cpu-box cpu on libtorch, tuned 20.00x" for each ratio of a GPU and a CPU.
std::vector<std::string> GpuRatios(const std::vector<v1::RunInfo>& runs) {
  v1::ReportSection section;
  AddRatios(SampleBoards(runs).at(0), &section);
  std::vector<std::string> ratios;
  for (const v1::ReportBlock& block : section.blocks()) {
    if (block.table().title() != "GPU against CPU") continue;
    for (const v1::ReportRow& row : block.table().rows()) {
      ratios.push_back(row.cells(0) + " against " + row.cells(1) + " on " + row.cells(2) + " " + row.cells(3));
    }
  }
  return ratios;
}

TEST(Ratios, AGpuWithoutACpuBesideItIsComparedWithTheFastestOfAnotherMachine) {
  std::vector<v1::RunInfo> runs;
  const auto add = [&runs](const char* agent, const char* device, double value) {
    runs.push_back(SampleMeasured(agent, device, "libtorch", value));
    runs.back().set_agent(agent);
  };
  add("gpu-box", "cuda:0", 40000);
  add("gpu-box", "cuda:1", 20000);
  add("slow-box", "cpu", 1000);
  add("cpu-box", "cpu", 2000);
  add("hot-box", "cpu", 4000);
  runs.back().mutable_result()->mutable_verdict()->set_kind("THROTTLED");
  EXPECT_THAT(GpuRatios(runs), ElementsAre("gpu-box cuda:0 against cpu-box cpu on libtorch, tuned 20.00x",
                                           "gpu-box cuda:1 against cpu-box cpu on libtorch, tuned 10.00x"));
  add("gpu-box", "cpu", 500);
  EXPECT_THAT(GpuRatios(runs), ElementsAre("cuda:0 against cpu on gpu-box, libtorch, tuned 80.0x",
                                           "cuda:1 against cpu on gpu-box, libtorch, tuned 40.00x"));
}

TEST(Calls, AreReadFromTheNotes) {
  v1::Result result;
  result.mutable_summary()->add_notes("something else");
  result.mutable_summary()->add_notes("call 1: 2.310000 s, 4.420000 s of process time");
  result.mutable_summary()->add_notes("call 2: 1.100000 s, 2.100000 s of process time");
  const std::vector<MeasuredCall> calls = CallsOf(result);
  ASSERT_THAT(calls, SizeIs(2));
  EXPECT_EQ(calls[0].wall_s, 2.31);
  EXPECT_EQ(calls[1].process_s, 2.1);
  result.mutable_summary()->add_notes("call 4: 1.1 s, 2.1 s of process time");
  EXPECT_THAT(CallsOf(result), IsEmpty()) << "one is missing, so nobody knows which is which";
}

TEST(Calls, WarmUpStandsInBracketsAndNotInTheMean) {
  std::vector<v1::RunInfo> runs = {SampleMeasured("c1", "cpu", "libtorch", 30)};
  v1::WorkerResult& summary = *runs[0].mutable_result()->mutable_summary();
  summary.set_warmup_steps(2);
  for (int i = 1; i <= 4; ++i) {
    summary.add_notes("call " + std::to_string(i) + ": " + std::to_string(6 - i) + ".5 s, 9 s of process time");
  }
  v1::ReportSection section;
  AddCalls(SampleBoards(runs).at(0), &section);
  ASSERT_EQ(section.blocks_size(), 3);
  const auto& cells = section.blocks(0).table().rows(0).cells();
  EXPECT_THAT(std::vector<std::string>(cells.end() - 5, cells.end()),
              ElementsAre("(5.500)", "(4.500)", "3.500", "2.500", "3"));
}

TEST(Calls, ThatAreTooManyToBeListedAreSaidToBe) {
  ReportBoard board = SampleBoards({SampleMeasured("c1", "cpu", "libtorch", 30)}).at(0);
  const auto said = [&board] {
    v1::ReportSection section;
    AddCalls(board, &section);
    return section.blocks().empty() ? std::string() : section.blocks(0).paragraph();
  };
  EXPECT_EQ(said(), "") << "its steps are no calls";
  board.workload.mutable_metrics(0)->set_name("wall_s");
  EXPECT_EQ(said(), "Not listed call by call: lab-3 cpu libtorch tuned (938 calls). Runners list up to 8.");
  board.series[0].runs[0].mutable_result()->mutable_summary()->set_warmup_steps(2);
  board.series[0].runs[0].mutable_result()->mutable_summary()->set_steps(6);
  EXPECT_EQ(said(), "") << "a runner that lists none, for reasons of its own";
}

TEST(Thinning, KeepsPeaksAndGaps) {
  Points points;
  for (int i = 0; i < 100'000; ++i) {
    points.x.push_back(i);
    points.y.push_back(1);
  }
  points.y[33'333] = 7;
  points.y[66'666] = -7;
  points.y[80'000] = std::numeric_limits<double>::quiet_NaN();
  const Points thinned = Thin(points, 600);
  EXPECT_LE(thinned.x.size(), 600u);
  EXPECT_TRUE(std::is_sorted(thinned.x.begin(), thinned.x.end()));
  EXPECT_THAT(thinned.y, testing::Contains(7));
  EXPECT_THAT(thinned.y, testing::Contains(-7));
  EXPECT_EQ(std::count_if(thinned.y.begin(), thinned.y.end(), [](double y) { return std::isnan(y); }), 1);
}

}  // namespace
}  // namespace fleetmark
