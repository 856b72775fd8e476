#include "coordinator/cli/report/ratio_tables.h"

#include <algorithm>
#include <optional>

#include "common/run_evidence.h"
#include "common/vocabulary.h"
#include "coordinator/cli/render/number.h"
#include "coordinator/cli/report/ratio.h"
#include "coordinator/cli/report/table_builder.h"

namespace fleetmark {
namespace {

// What may differ, and what must not, between two rows that are compared.
struct Traits {
  explicit Traits(const ReportSeries& series)
      : agent(series.run().agent()),
        device(series.run().device()),
        kind(device.substr(0, device.find(':'))),
        runtime(series.run().runtime()),
        profile(series.profile) {}
  std::string agent, device, kind, runtime, profile;
};

struct Comparison {
  const char* title;
  // Whether the first, which is the faster but for a GPU, is to be compared with the second.
  bool (*applies)(const Traits& one, const Traits& other);
  std::string (*what)(const Traits& traits);   // names one side
  std::string (*where)(const Traits& traits);  // names what both share
  bool fastest_only;  // only the fastest of those that may be compared, against each of the others
  // Of a row that is compared with none: with the fastest that this applies to. Null: it stays alone.
  const Comparison* otherwise;
};

bool IsGpuAndCpu(const Traits& one, const Traits& other) {
  return one.kind != "cpu" && other.kind == "cpu" && one.runtime == other.runtime && one.profile == other.profile;
}
std::string MachineAndDevice(const Traits& traits) { return traits.agent + " " + traits.device; }
std::string RuntimeAndProfile(const Traits& traits) { return traits.runtime + ", " + traits.profile; }

// A GPU whose own machine has no such CPU. One ratio for each, so that the table stays shorter than the board.
const Comparison kAnotherMachinesCpu = {"", IsGpuAndCpu, MachineAndDevice, RuntimeAndProfile, false, nullptr};

const Comparison kComparisons[] = {
    {"GPU against CPU",
     [](const Traits& one, const Traits& other) { return one.agent == other.agent && IsGpuAndCpu(one, other); },
     [](const Traits& traits) { return traits.device; },
     [](const Traits& traits) { return traits.agent + ", " + RuntimeAndProfile(traits); }, false, &kAnotherMachinesCpu},
    {"Framework against framework",
     [](const Traits& one, const Traits& other) {
       return one.runtime != other.runtime && one.agent == other.agent && one.device == other.device &&
              one.profile == other.profile;
     },
     [](const Traits& traits) { return traits.runtime; },
     [](const Traits& traits) { return MachineAndDevice(traits) + ", " + traits.profile; }, false, nullptr},
    {"Profile against profile",
     [](const Traits& one, const Traits& other) {
       return one.profile != other.profile && one.agent == other.agent && one.device == other.device &&
              one.runtime == other.runtime;
     },
     [](const Traits& traits) { return traits.profile; },
     [](const Traits& traits) { return MachineAndDevice(traits) + ", " + traits.runtime; }, false, nullptr},
    {"Machine against machine",
     [](const Traits& one, const Traits& other) {
       return one.agent != other.agent && one.kind == other.kind && one.runtime == other.runtime &&
              one.profile == other.profile;
     },
     MachineAndDevice, RuntimeAndProfile, true, nullptr},
};

// "[11.8, 12.5]"
std::string IntervalOf(const SpeedRatio& ratio) {
  if (!ratio.ci_low) return "no interval";
  const std::string text = FormatValue(ratio.times, ratio.ci_low, ratio.ci_high).interval;
  return !text.empty() ? text : "[" + FormatNumber(*ratio.ci_low) + ", " + FormatNumber(*ratio.ci_high) + "]";
}

class RatioTable {
 public:
  RatioTable(const ReportBoard& board, const std::string& title)
      : metric_(PrimaryMetric(board.workload)),
        is_less_better_(IsLessBetter(board.workload, metric_)),
        table_(title, {{"WHAT", kEssential, 8},
                       {"AGAINST", kEssential, 8},
                       {"ON", 80, 12},
                       {"TIMES AS FAST", kEssential, 0, Align::kRight},
                       {"95 %", 90},
                       {"TIME SAVED", 70, 0, Align::kRight}}) {}

  void Add(const Comparison& comparison, const ReportSeries& one, const ReportSeries& other) {
    const Traits traits(one);
    std::vector<std::string> cells = {comparison.what(traits), comparison.what(Traits(other)),
                                      comparison.where(traits)};
    if (const std::optional<SpeedRatio> ratio = CompareSpeed(ValueOf(one), ValueOf(other), is_less_better_)) {
      const ValueText text = FormatValue(ratio->times, ratio->ci_low, ratio->ci_high);
      cells.insert(cells.end(), {text.value + "x", IntervalOf(*ratio), FormatTimeSaved(ratio->times)});
    } else {
      cells.insert(cells.end(), {"no ratio", "a value is not above 0", ""});
    }
    table_.AddRow(kMeasuredRow, std::move(cells));
  }

  void AppendTo(v1::ReportSection* section) { table_.AppendTo(section); }

 private:
  Estimate ValueOf(const ReportSeries& series) const {
    const v1::Metric* metric = FindMetric(series.run().result(), metric_);
    return metric == nullptr ? Estimate() : EstimateOf(*metric);
  }

  const std::string metric_;
  const bool is_less_better_;
  TableBuilder table_;
};

// Every pair once, the faster first, but for a GPU, which always stands first.
void AddComparison(const Comparison& comparison, const ReportBoard& board, const std::vector<const ReportSeries*>& rows,
                   v1::ReportSection* section) {
  RatioTable table(board, comparison.title);
  const auto applies = [&](size_t one, size_t other) {
    return comparison.applies(Traits(*rows[one]), Traits(*rows[other]));
  };
  for (size_t i = 0; i < rows.size(); ++i) {
    bool has_faster = false;
    for (size_t j = 0; j < i && comparison.fastest_only; ++j) has_faster |= applies(j, i);
    if (has_faster) continue;
    bool is_alone = true;
    for (size_t j = 0; j < rows.size(); ++j) {
      if (j == i || !applies(i, j)) continue;
      is_alone = false;
      const bool is_taken = j < i && applies(j, i);  // as the pair (j, i)
      if (!is_taken) table.Add(comparison, *rows[i], *rows[j]);
    }
    if (!is_alone || comparison.otherwise == nullptr) continue;
    const auto fastest = std::find_if(rows.begin(), rows.end(), [&](const ReportSeries* row) {
      return comparison.otherwise->applies(Traits(*rows[i]), Traits(*row));
    });
    if (fastest != rows.end()) table.Add(*comparison.otherwise, *rows[i], **fastest);
  }
  table.AppendTo(section);
}

}  // namespace

void AddRatios(const ReportBoard& board, v1::ReportSection* section) {
  std::vector<const ReportSeries*> rows;  // fastest first
  for (const ReportSeries& series : board.series) {
    if (!IsFlagged(series.run().result().verdict().kind())) rows.push_back(&series);
  }
  const int before = section->blocks_size();
  for (const Comparison& comparison : kComparisons) AddComparison(comparison, board, rows, section);
  if (section->blocks_size() == before) return;
  AddParagraph(
      "Above 1x WHAT is the faster. An interval comes from both 95 % intervals, on the log scale; there is none where "
      "one "
      "of the two has none. TIME SAVED is what WHAT saves of the other's time.",
      section);
}

}  // namespace fleetmark
