#include "common/evidence.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "common/vocabulary.h"

namespace fleetmark {

std::string words::Number(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), std::abs(value) >= 1000 ? "%.0f" : "%.3g", value);
  return text;
}

std::string words::Percent(double share) { return Number(100 * share) + " %"; }

void Evidence::Against(const char* kind, const char* cause, std::string sentence) {
  findings_.push_back({kind, cause, std::move(sentence)});
}

bool Evidence::HasAny(const std::string& kind) const {
  return std::any_of(findings_.begin(), findings_.end(), [&](const Finding& finding) { return finding.kind == kind; });
}

v1::Verdict Evidence::Conclude(const std::string& why_unchecked) const {
  const auto gravity = [](const Finding& finding) {
    return std::find(kVerdictsByGravity.begin(), kVerdictsByGravity.end(), finding.kind);
  };
  std::vector<Finding> findings = findings_;
  std::stable_sort(findings.begin(), findings.end(),
                   [&](const Finding& a, const Finding& b) { return gravity(a) < gravity(b); });
  v1::Verdict verdict;
  verdict.set_kind(!findings.empty() ? findings.front().kind : why_unchecked.empty() ? "OK" : "UNCHECKED");
  if (!findings.empty()) verdict.set_cause(findings.front().cause);
  for (const Finding& finding : findings) verdict.add_evidence(finding.sentence);
  if (!why_unchecked.empty()) verdict.add_evidence("not known: " + why_unchecked);
  for (const std::string& sentence : in_order_) verdict.add_evidence("in order: " + sentence);
  for (const std::string& sentence : unknown_) verdict.add_evidence("not known: " + sentence);
  return verdict;
}

}  // namespace fleetmark
