#include "coordinator/cli/report/published.h"

#include <algorithm>
#include <set>

#include "common/vocabulary.h"
#include "coordinator/cli/render/number.h"
#include "coordinator/cli/report/table_builder.h"

namespace fleetmark {
namespace {

bool IsSameArticle(const v1::Reference& a, const v1::Reference& b) {
  return a.workload() == b.workload() && a.published_in() == b.published_in() && a.metric() == b.metric();
}

// Whether the article has no other GPU for this number.
bool IsOnlyGpu(const v1::Reference& gpu, const std::vector<v1::Reference>& references) {
  return std::none_of(references.begin(), references.end(), [&](const v1::Reference& other) {
    return other.device_kind() == "gpu" && IsSameArticle(gpu, other) && other.runtime() == gpu.runtime() &&
           other.device() != gpu.device();
  });
}

bool IsComparable(const v1::Reference& one, const v1::Reference& other, const std::vector<v1::Reference>& references) {
  if (!IsSameArticle(one, other) || IsFlagged(one.verdict().kind()) || IsFlagged(other.verdict().kind())) return false;
  if (one.runtime() != other.runtime()) return one.system() == other.system() && one.device() == other.device();
  return one.device_kind() == "gpu" && other.device_kind() == "cpu" &&
         (one.system() == other.system() || IsOnlyGpu(one, references));
}

// A rate that follows from a published total, and not a mean of published calls.
bool IsDerivedRate(const v1::Reference& reference) { return reference.derived() && reference.calls().empty(); }

// What is compared with what, where, and by which framework.
std::vector<std::string> NamesOf(const PublishedRatio& ratio) {
  const v1::Reference &one = ratio.one, &other = ratio.other;
  if (one.runtime() != other.runtime()) return {one.runtime(), other.runtime(), one.device(), ""};
  const bool same_system = one.system() == other.system();
  return {one.device(), other.device(), one.system() + (same_system ? "" : " against " + other.system()),
          one.runtime()};
}

std::string NoteOf(const v1::Reference& reference) {
  if (!IsFlagged(reference.verdict().kind())) return reference.note();
  return reference.verdict().kind() + ": " + reference.verdict().evidence(0);
}

std::string ClaimText(const PublishedRatio& ratio) {
  const std::optional<bool> agrees = AgreesWithClaim(ratio.claim, ratio.times);
  if (!agrees) return ratio.claim;
  return ratio.claim + (*agrees ? ", agrees" : ", differs");
}

}  // namespace

std::string MarkOf(const v1::Reference& reference) {
  return IsFlagged(reference.verdict().kind()) ? "!" : reference.derived() ? "*" : "";
}

std::vector<PublishedRatio> RecomputePublished(const std::vector<v1::Reference>& references) {
  std::vector<PublishedRatio> ratios;
  for (const v1::Reference& one : references) {
    for (const v1::Reference& other : references) {
      if (IsDerivedRate(one) || IsDerivedRate(other) || !IsComparable(one, other, references)) continue;
      const bool is_less_better = IsLessBetter(v1::WorkloadSpec(), one.metric());
      const std::optional<SpeedRatio> ratio =
          CompareSpeed({one.value(), {}, {}}, {other.value(), {}, {}}, is_less_better);
      // Of two frameworks the faster stands first; of two that are equal neither pair is told.
      if (!ratio || (one.runtime() != other.runtime() && ratio->times <= 1)) continue;
      ratios.push_back({one, other, ratio->times, one.claim_against() == other.device() ? one.claim() : ""});
    }
  }
  return ratios;
}

void AddPublished(const ReportBoard& board, v1::ReportSection* section) {
  if (board.published.empty()) return;
  TableBuilder numbers("Published numbers", {{"SYSTEM", kEssential, 8},
                                             {"DEVICE", 90, 8},
                                             {"RUNTIME", 80},
                                             {"METRIC", kEssential},
                                             {"VALUE", kEssential, 0, Align::kRight},
                                             {"UNIT", 95},
                                             {"NOTE", 50, 10}});
  std::set<std::string> sources;
  for (const v1::Reference& reference : board.published) {
    numbers.AddRow(kPublishedRow,
                   {reference.system(), reference.device(), reference.runtime(), reference.metric(),
                    FormatNumber(reference.value()) + MarkOf(reference), reference.unit(), NoteOf(reference)});
    sources.insert(reference.published_in());
  }
  numbers.AppendTo(section);
  TableBuilder ratios("Published ratios, recomputed from the published rows",
                      {{"WHAT", kEssential, 8},
                       {"AGAINST", kEssential, 8},
                       {"ON", 40, 8},
                       {"RUNTIME", 60},
                       {"METRIC", 80},
                       {"TIMES AS FAST", kEssential, 0, Align::kRight},
                       {"TIME SAVED", 90, 0, Align::kRight},
                       {"THE ARTICLE SAYS", 95}});
  for (const PublishedRatio& ratio : RecomputePublished(board.published)) {
    std::vector<std::string> cells = NamesOf(ratio);
    cells.insert(cells.end(),
                 {ratio.one.metric(), FormatTimes(ratio.times), FormatTimeSaved(ratio.times), ClaimText(ratio)});
    ratios.AddRow(kPublishedRow, std::move(cells));
  }
  ratios.AppendTo(section);
  AddParagraph("* computed from other published numbers, as the note says.", section);
  for (const std::string& source : sources) AddParagraph("Published: " + source, section);
}

}  // namespace fleetmark
