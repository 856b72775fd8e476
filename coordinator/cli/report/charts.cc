#include "coordinator/cli/report/charts.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "common/run_evidence.h"
#include "common/telemetry.h"
#include "common/telemetry_view.h"
#include "coordinator/cli/render/evidence_text.h"
#include "coordinator/cli/render/number.h"
#include "coordinator/cli/report/board.h"
#include "coordinator/cli/report/table_builder.h"
#include "coordinator/cli/report/thin.h"

namespace fleetmark {
namespace {

// What a picture of this size can show; ten runs with eight lines each stay below half a megabyte.
constexpr int kMostPoints = 350;

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

void AddLine(const std::string& name, const Points& points, v1::ReportChart* chart) {
  const Points thinned = Thin(points, kMostPoints);
  v1::ReportLine& line = *chart->add_lines();
  line.set_name(name);
  *line.mutable_x() = {thinned.x.begin(), thinned.x.end()};
  *line.mutable_y() = {thinned.y.begin(), thinned.y.end()};
}

// The series of that name, or null where it was not sampled, or never with a value.
const v1::TelemetrySeries* FindSeries(const v1::Telemetry& telemetry, const telemetry::SeriesName& name) {
  for (const v1::TelemetrySeries& series : telemetry.series()) {
    if (series.name() != name.name) continue;
    const bool has_value =
        std::any_of(series.values().begin(), series.values().end(), [](float value) { return std::isfinite(value); });
    return has_value ? &series : nullptr;
  }
  return nullptr;
}

struct NamedSeries {
  const char* name;  // in the legend
  telemetry::SeriesName series;
};

// A chart of the series that were sampled; none where none was. `scale` turns their unit into that of `y_title`.
bool AddTelemetryChart(const v1::Telemetry& telemetry, const std::string& title, const std::string& y_title,
                       const std::vector<NamedSeries>& series, double scale, v1::ReportSection* section) {
  v1::ReportChart chart;
  chart.set_title(title);
  chart.set_x_title("time since the worker was let go, s");
  chart.set_y_title(y_title);
  chart.set_from_zero(true);
  for (const NamedSeries& named : series) {
    const v1::TelemetrySeries* found = FindSeries(telemetry, named.series);
    if (found == nullptr) continue;
    Points points;
    for (int i = 0; i < std::min(found->values_size(), telemetry.at_s_size()); ++i) {
      points.x.push_back(telemetry.at_s(i));
      points.y.push_back(static_cast<double>(found->values(i)) * scale);
    }
    AddLine(named.name, points, &chart);
  }
  if (chart.lines().empty()) return false;
  if (telemetry.has_measured_from_s() && telemetry.has_measured_until_s()) {
    v1::ReportBand& band = *chart.add_bands();
    band.set_name("measured");
    band.set_from(telemetry.measured_from_s());
    band.set_until(telemetry.measured_until_s());
  }
  *section->add_blocks()->mutable_chart() = std::move(chart);
  return true;
}

// "clock" for "Clock", but "CPU use".
std::string WithinSentence(std::string title) {
  if (title.size() > 1 && std::islower(static_cast<unsigned char>(title[1])) != 0) {
    title[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(title[0])));
  }
  return title;
}

void AddTelemetry(const v1::Result& result, bool is_on_gpu, v1::ReportSection* section) {
  if (!result.has_telemetry() || result.telemetry().at_s().empty()) {
    AddParagraph("CPU and GPU use over time: not measured.", section);
    return;
  }
  const v1::Telemetry& sampled = result.telemetry();
  std::string missing;
  const auto add = [&](const char* title, const char* unit, const std::vector<NamedSeries>& series, double scale,
                       bool is_expected) {
    const bool is_there = AddTelemetryChart(sampled, title, std::string(title) + ", " + unit, series, scale, section);
    if (!is_there && is_expected) missing += (missing.empty() ? "" : ", ") + WithinSentence(title);
  };
  add("CPU use", "% (100 is one CPU)",
      {{"machine", telemetry::kCpu}, {"worker", telemetry::kWorkerCpu}, {"others", telemetry::kOtherCpu}}, 1, true);
  add("GPU use", "%", {{"GPU", telemetry::kGpuUtil}, {"others", telemetry::kGpuOtherUtil}}, 1, is_on_gpu);
  add("Memory of the worker", "GB", {{"worker", telemetry::kWorkerRss}}, 1e-9, true);
  add("GPU memory", "GB", {{"GPU", telemetry::kGpuMemory}}, 1e-9, is_on_gpu);
  add("Clock", "MHz", {{"CPU, mean", telemetry::kCpuClock}, {"GPU", telemetry::kGpuClock}}, 1, true);
  add("Temperature", "°C", {{"CPU, hottest", telemetry::kCpuTemperature}, {"GPU", telemetry::kGpuTemperature}}, 1,
      true);
  for (const std::string& problem : SensorProblems(sampled)) missing += (missing.empty() ? "" : "; ") + problem;
  if (!missing.empty()) AddParagraph("Not measured: " + missing + ".", section);
}

struct TimeUnit {
  double per_second;
  const char* name;
};
TimeUnit UnitFor(const std::vector<double>& seconds) {
  double greatest = 0;
  for (const double value : seconds) greatest = std::isfinite(value) ? std::max(greatest, value) : greatest;
  return greatest >= 1 ? TimeUnit{1, "s"} : greatest >= 1e-3 ? TimeUnit{1e3, "ms"} : TimeUnit{1e6, "µs"};
}

// What the picture leaves out or must be known to read it.
std::string StepCaption(const v1::Result& result) {
  const v1::WorkerResult& summary = result.summary();
  std::string caption = std::to_string(summary.warmup_steps()) + " steps of warm-up left out";
  if (const v1::Metric* first = FindMetric(result, "first_call_s")) {
    caption += "; the first call took " + FormatSeconds(first->value());
  }
  if (summary.has_is_steady() && !summary.is_steady()) caption += "; no steady state was reached";
  if (!result.has_steadiness()) return caption + "; change points were not looked for";
  if (const std::string bad = BadStepTimes(result); !bad.empty()) {
    return caption + "; change points were not looked for: " + bad;
  }
  const int changes = result.steadiness().change_points_size();
  if (changes == 0) return caption + "; no change points (looked for in 50 samples and more)";
  return caption + "; " + std::to_string(changes) + (changes == 1 ? " change point" : " change points");
}

// Where the samples "step_s" lie among the steps. Some stand for fewer steps than summary.steps_per_sample, as at the
// end of an epoch, and the result does not say which: here all stand for equally many, so that the whole is as long as
// it was.
class StepAxis {
 public:
  StepAxis(const v1::WorkerResult& summary, size_t samples)
      : warmup_(summary.warmup_steps()), samples_(static_cast<double>(samples)), steps_(summary.steps()) {
    // A sample of less than a step is a runner's nonsense.
    if (steps_ < samples_) steps_ = samples_ * std::max(1, summary.steps_per_sample());
  }
  // How many steps came before that sample, the warm-up with them.
  double Before(double sample) const { return warmup_ + sample * steps_ / samples_; }

 private:
  double warmup_, samples_, steps_;
};

void AddSteps(const v1::Result& result, v1::ReportSection* section) {
  const std::vector<double> step_s = StepTimes(result);
  if (std::none_of(step_s.begin(), step_s.end(), [](double value) { return std::isfinite(value); })) {
    AddParagraph("Step times over the run: not recorded.", section);
    return;
  }
  const StepAxis axis(result.summary(), step_s.size());
  const TimeUnit unit = UnitFor(step_s);
  v1::ReportChart& chart = *section->add_blocks()->mutable_chart();
  chart.set_title("Step times");
  chart.set_x_title("step");
  chart.set_counts(true);
  chart.set_y_title(std::string("time of a step, ") + unit.name);
  chart.set_caption(StepCaption(result));
  Points points;
  for (size_t i = 0; i < step_s.size(); ++i) {
    points.x.push_back(axis.Before(static_cast<double>(i) + 0.5) + 0.5);
    points.y.push_back(std::isfinite(step_s[i]) ? step_s[i] * unit.per_second : kUnknown);
  }
  AddLine("step time", points, &chart);
  if (result.summary().warmup_steps() > 0) {
    v1::ReportBand& band = *chart.add_bands();
    band.set_name("warm-up");
    band.set_from(0);
    band.set_until(axis.Before(0) + 0.5);
  }
  for (const v1::ChangePoint& change : result.steadiness().change_points()) {
    if (change.sample() < 0 || static_cast<size_t>(change.sample()) >= step_s.size()) continue;
    v1::ReportMark& mark = *chart.add_marks();
    mark.set_x(axis.Before(change.sample()) + 0.5);
    mark.set_name("from step " + FormatFixed(std::floor(axis.Before(change.sample())) + 1, 0) + " on " +
                  FormatSeconds(change.after_s()) + " a step, before " + FormatSeconds(change.before_s()));
  }
}

void AddEpochChart(const v1::Result& result, const char* title,
                   std::optional<double> (*train)(const v1::TrainingEpoch&),
                   std::optional<double> (*validation)(const v1::TrainingEpoch&), v1::ReportSection* section) {
  Points of_training, of_validation;
  int known[2] = {0, 0};
  for (const v1::TrainingEpoch& epoch : result.training_epochs()) {
    const std::optional<double> values[2] = {train(epoch), validation(epoch)};
    Points* points[2] = {&of_training, &of_validation};
    for (int i = 0; i < 2; ++i) {
      points[i]->x.push_back(epoch.epoch());
      points[i]->y.push_back(values[i].value_or(kUnknown));
      known[i] += values[i] && std::isfinite(*values[i]) ? 1 : 0;
    }
  }
  // One point makes no curve: the table of epochs has it.
  if (std::max(known[0], known[1]) < 2) return;
  v1::ReportChart& chart = *section->add_blocks()->mutable_chart();
  chart.set_title(title);
  chart.set_x_title("epoch");
  chart.set_counts(true);
  chart.set_y_title(title);
  if (known[0] > 0) AddLine("training", of_training, &chart);
  if (known[1] > 0) AddLine("validation", of_validation, &chart);
}

std::optional<double> When(bool has, double value) { return has ? std::optional<double>(value) : std::nullopt; }

}  // namespace

void AddCharts(const v1::Result& result, bool is_on_gpu, v1::ReportSection* section) {
  AddTelemetry(result, is_on_gpu, section);
  AddSteps(result, section);
  AddEpochChart(
      result, "Loss", [](const v1::TrainingEpoch& epoch) { return When(epoch.has_loss(), epoch.loss()); },
      [](const v1::TrainingEpoch& epoch) { return When(epoch.has_val_loss(), epoch.val_loss()); }, section);
  AddEpochChart(
      result, "Accuracy", [](const v1::TrainingEpoch& epoch) { return When(epoch.has_accuracy(), epoch.accuracy()); },
      [](const v1::TrainingEpoch& epoch) { return When(epoch.has_val_accuracy(), epoch.val_accuracy()); }, section);
}

}  // namespace fleetmark
