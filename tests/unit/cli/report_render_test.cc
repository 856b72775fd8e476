// How a report looks as text, Markdown and HTML.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <regex>

#include "common/telemetry.h"
#include "coordinator/cli/render/axis.h"
#include "coordinator/cli/render/report_html.h"
#include "coordinator/cli/render/report_markdown.h"
#include "coordinator/cli/render/report_text.h"
#include "coordinator/cli/render/svg_chart.h"
#include "coordinator/cli/report/charts.h"
#include "coordinator/cli/report/report.h"
#include "tests/unit/cli/golden.h"
#include "tests/unit/cli/sample_report.h"
#include "tests/unit/cli/sample_runs.h"

namespace fleetmark {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

v1::ReportDocument SampleDocument() { return ComposeReport(SampleBoards(SampleReportRuns()), kSampleNow); }

// The first thing that makes `html` no well-formed XML, or "": every element is closed in order, every attribute quoted
// and nothing but the five entities used.
std::string Malformed(const std::string& html) {
  std::vector<std::string> open;
  const std::regex tag("^<(/?)([a-zA-Z][a-zA-Z0-9]*)((?: [a-zA-Z0-9-]+=\"[^\"<]*\")*)(/?)>");
  const std::regex entity("^&(amp|lt|gt|quot|#39);");
  for (size_t at = html.find("<html"); at < html.size(); ++at) {
    const auto rest = [&](size_t length) { return html.substr(at, length); };
    if (html[at] == '&' && !std::regex_search(rest(8), entity)) return "entity: " + rest(20);
    if (html[at] != '<') continue;
    const std::string text = html.substr(at, html.find('>', at) - at + 1);
    std::smatch match;
    if (!std::regex_search(text, match, tag)) return "tag: " + text.substr(0, 80);
    if (match[1] == "/") {
      if (open.empty() || open.back() != match[2]) return "closes what is not open: " + text;
      open.pop_back();
    } else if (match[4] != "/") {
      open.push_back(match[2]);
    }
  }
  return open.empty() ? "" : "not closed: " + open.back();
}

TEST_F(GoldenTest, Report) {
  const v1::ReportDocument document = SampleDocument();
  ExpectGolden("report_piped", RenderReportText(document, Terminal()));
  ExpectGolden("report_markdown", RenderReportMarkdown(document));
  for (const int width : {80, 50}) {
    const std::string text = RenderReportText(document, Window(width));
    ExpectGolden("report_" + std::to_string(width), text);
    ExpectFits(text, width);
  }
}

TEST_F(GoldenTest, ReportWithoutResultsSaysWhatToDo) {
  ExpectGolden("report_empty", RenderReportText(ComposeReport({}, kSampleNow), Window(80)));
}

TEST(ReportHtml, IsOneWellFormedFileThatLoadsNothing) {
  const std::string html = RenderReportHtml(SampleDocument());
  EXPECT_EQ(Malformed(html), "");
  for (const char* forbidden : {"http:", "https:", "//", "src=", "href=", "<script", "url(", "@import", "nan", "inf"}) {
    EXPECT_THAT(html, Not(HasSubstr(forbidden)));
  }
  EXPECT_THAT(html, HasSubstr("prefers-color-scheme: dark"));
  EXPECT_NE(Malformed("<html><b></html>"), "") << "the check itself";
  EXPECT_NE(Malformed("<html>a & b</html>"), "");
}

TEST(ReportHtml, HasEveryPicture) {
  const std::string html = RenderReportHtml(SampleDocument());
  for (const char* title : {"CPU use", "GPU use", "Memory of the worker", "Step times", "Loss", "Accuracy"}) {
    EXPECT_THAT(html, HasSubstr("<title>" + std::string(title) + "</title>"));
  }
  EXPECT_THAT(html, HasSubstr("<title>measured</title>"));
  EXPECT_THAT(html, HasSubstr("<title>warm-up</title>"));
  EXPECT_THAT(html, HasSubstr("1: from step 638 on 29.43 ms a step, before 23.55 ms"));
  EXPECT_THAT(html,
              HasSubstr("Not measured: clock, temperature; hwmon absent: this machine has no temperature sensor."));
  EXPECT_THAT(html, HasSubstr("CPU and GPU use over time: not measured."));
}

TEST(ReportHtml, EscapesWhatComesFromOutside) {
  const std::string evil = "<script>alert('x')</script>&\"|\x1b[31m`*_";
  std::vector<v1::RunInfo> runs = SampleReportRuns();
  for (v1::RunInfo& run : runs) {
    run.set_agent(evil);
    run.mutable_result()->mutable_environment()->mutable_device()->set_model(evil);
    run.mutable_result()->mutable_verdict()->add_evidence(evil);
    for (v1::Sensor& sensor : *run.mutable_result()->mutable_telemetry()->mutable_sensors()) sensor.set_why(evil);
  }
  v1::ReportDocument document = ComposeReport(SampleBoards(runs), kSampleNow);
  for (v1::ReportSection& section : *document.mutable_sections()) {
    for (v1::ReportBlock& block : *section.mutable_blocks()) {
      if (!block.has_chart()) continue;
      block.mutable_chart()->set_title(evil);
      block.mutable_chart()->mutable_lines(0)->set_name(evil);
    }
  }
  const std::string html = RenderReportHtml(document);
  EXPECT_EQ(Malformed(html), "");
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  const std::string text = RenderReportText(document, Terminal()), markdown = RenderReportMarkdown(document);
  for (const std::string& rendered : {html, text, markdown}) EXPECT_THAT(rendered, Not(HasSubstr("\x1b")));
  EXPECT_THAT(markdown, Not(testing::ContainsRegex("[^\\\\]<")));
  EXPECT_THAT(markdown, HasSubstr("\\<script\\>"));
}

TEST(ReportMarkdown, EscapesWhatMeansSomethingAndNothingElse) {
  EXPECT_EQ(EscapeMarkdown("it_per_s, 2 % (a.b)"), "it_per_s, 2 % (a.b)");
  EXPECT_EQ(EscapeMarkdown("_a_ a|b *c* [d](e) `f` <g> \\"), "\\_a\\_ a\\|b \\*c\\* \\[d\\](e) \\`f\\` \\<g\\> \\\\");
  EXPECT_EQ(EscapeMarkdown("# no title\nnor line"), "\\# no title nor line");
}

TEST(ReportHtml, OfTenLongRunsStaysBelowHalfAMegabyte) {
  std::vector<v1::RunInfo> runs;
  for (int i = 0; i < 10; ++i) {
    runs.push_back(SampleMeasured("r" + std::to_string(i), "cuda:0", "libtorch", 1000 + i));
    v1::RunInfo& run = runs.back();
    run.set_agent("lab-" + std::to_string(i));
    v1::Result& result = *run.mutable_result();
    v1::Telemetry& sampled = *result.mutable_telemetry();
    for (const auto& name : {telemetry::kGpuOtherUtil, telemetry::kGpuMemory, telemetry::kCpuClock,
                             telemetry::kGpuClock, telemetry::kCpuTemperature, telemetry::kGpuTemperature}) {
      sampled.add_series()->set_name(name.name);
    }
    // Ten minutes at 2 Hz, and a hundred thousand steps, all noise.
    unsigned state = 1;
    const auto noise = [&state] { return static_cast<double>((state = state * 1664525u + 1013904223u) >> 16) / 65536; };
    sampled.clear_at_s();
    for (int point = 0; point < 1200; ++point) sampled.add_at_s(0.5 * point);
    for (v1::TelemetrySeries& series : *sampled.mutable_series()) {
      series.clear_values();
      for (int point = 0; point < 1200; ++point) series.add_values(static_cast<float>(noise()));
    }
    result.clear_samples();
    result.add_samples()->set_name("step_s");
    for (int step = 0; step < 100'000; ++step) result.mutable_samples(0)->add_values(noise());
  }
  const std::string html = RenderReportHtml(ComposeReport(SampleBoards(runs), kSampleNow));
  EXPECT_LT(html.size(), 500'000u);
  EXPECT_GT(html.size(), 100'000u) << "with all its pictures";
}

// A run of 20 epochs of 50 steps, of which one is warm-up, in samples of 40 and of 10 steps.
v1::Result SampleEpochs() {
  v1::Result result;
  result.mutable_summary()->set_warmup_steps(50);
  result.mutable_summary()->set_steps(950);
  result.mutable_summary()->set_steps_per_sample(40);
  v1::Samples& samples = *result.add_samples();
  samples.set_name("step_s");
  for (int i = 0; i < 38; ++i) samples.add_values(0.1);
  v1::ChangePoint& change = *result.mutable_steadiness()->add_change_points();
  change.set_sample(20);
  change.set_before_s(0.1);
  change.set_after_s(0.2);
  return result;
}

v1::ReportChart StepChartOf(const v1::Result& result) {
  v1::ReportSection section;
  AddCharts(result, false, &section);
  for (const v1::ReportBlock& block : section.blocks()) {
    if (block.chart().title() == "Step times") return block.chart();
  }
  return v1::ReportChart();
}

TEST(Charts, SamplesThatAreShorterThanTheLongestDoNotStretchTheSteps) {
  v1::Result result = SampleEpochs();
  v1::ReportChart chart = StepChartOf(result);
  ASSERT_EQ(chart.lines(0).x_size(), 38);
  EXPECT_DOUBLE_EQ(chart.lines(0).x(0), 50 + 12.5 + 0.5);
  EXPECT_DOUBLE_EQ(chart.lines(0).x(37), 1000 - 12.5 + 0.5);
  EXPECT_DOUBLE_EQ(chart.marks(0).x(), 550.5);
  EXPECT_EQ(chart.marks(0).name(), "from step 551 on 200 ms a step, before 100 ms");
  result.mutable_summary()->set_steps(0);
  chart = StepChartOf(result);
  EXPECT_DOUBLE_EQ(chart.marks(0).x(), 850.5) << "of a runner that does not say how many there were";
}

TEST(Charts, OfWhatIsNoStepTimeNoChangePointIsDenied) {
  v1::Result result = SampleEpochs();
  result.mutable_steadiness()->clear_change_points();
  EXPECT_THAT(StepChartOf(result).caption(), HasSubstr("; no change points (looked for"));
  for (const double bad : {0.0, std::numeric_limits<double>::quiet_NaN()}) {
    result.mutable_samples(0)->set_values(3, bad);
    EXPECT_THAT(StepChartOf(result).caption(),
                EndsWith("; change points were not looked for: a step time is zero, negative or not finite"));
  }
}

TEST(Svg, ShowsAnUnknownValueAsAGap) {
  v1::ReportChart chart;
  v1::ReportLine& line = *chart.add_lines();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> values = {1, 2, nan, 3};
  for (size_t i = 0; i < values.size(); ++i) {
    line.add_x(static_cast<double>(i));
    line.add_y(values[i]);
  }
  const std::string svg = RenderSvg(chart);
  const std::string path = svg.substr(svg.find("<path d=\"") + 9);
  EXPECT_EQ(std::count(path.begin(), path.begin() + static_cast<long>(path.find('"')), 'M'), 2) << path;
  for (double& y : *line.mutable_y()) y = nan;
  EXPECT_EQ(RenderSvg(chart), "");
}

TEST(AxisTest, TicksAreRoundAndCoverTheValues) {
  const Axis axis = MakeAxis(0, 187, 5, 0, true);
  EXPECT_THAT(axis.ticks, ElementsAre(0, 50, 100, 150, 200));
  EXPECT_EQ(axis.Text(50), "50");
  const Axis small = MakeAxis(0.0231, 0.0244, 5, 0, true);
  EXPECT_LE(small.low, 0.0231);
  EXPECT_GE(small.high, 0.0244);
  EXPECT_EQ(small.Text(small.ticks[0]), "0.0230");
  EXPECT_THAT(MakeAxis(1, 2, 8, 1, false).ticks, ElementsAre(1, 2)) << "of epochs, which are whole";
}

TEST(AxisTest, EveryStretchHasAnAxis) {
  for (const auto& [low, high] : std::vector<std::pair<double, double>>{
           {0, 0}, {5, 5}, {-3, -3}, {-1, 1}, {1e-9, 2e-9}, {1e18, 1e18 + 256}, {-1e300, 1e300}}) {
    const Axis axis = MakeAxis(low, high, 5, 0, true);
    EXPECT_LT(axis.low, axis.high) << low << " " << high;
    EXPECT_LE(axis.low, low);
    EXPECT_GE(axis.high, high);
    EXPECT_LE(axis.ticks.size(), 16u);
  }
}

}  // namespace
}  // namespace fleetmark
