#include "coordinator/published_verdict.h"

#include <array>
#include <cstdio>

namespace fleetmark {
namespace {

std::string ComparedWithCard(double gb_per_s, double rated) {
  std::array<char, 160> text{};
  std::snprintf(text.data(), text.size(), "%.0f GB/s is %.2f times the %.0f GB/s that the card is specified for",
                gb_per_s, gb_per_s / rated, rated);
  return text.data();
}

// Those that come first are the gravest.
void Against(const char* kind, const std::string& cause, const std::string& sentence, v1::Verdict* verdict) {
  if (verdict->kind().empty()) {
    verdict->set_kind(kind);
    verdict->set_cause(cause);
  }
  verdict->add_evidence(sentence);
}

}  // namespace

v1::Verdict JudgePublished(double value, const PublishedEvidence& evidence) {
  v1::Verdict verdict;
  if (evidence.rated_gb_per_s && evidence.gb_per_it) {
    const double gb_per_s = value * *evidence.gb_per_it, rated = *evidence.rated_gb_per_s;
    if (gb_per_s > rated) Against("IMPLAUSIBLE", "ceiling", ComparedWithCard(gb_per_s, rated), &verdict);
  }
  if (const std::string& cause = evidence.throttled_by; !cause.empty()) {
    Against("THROTTLED", cause, "its author says that it was throttled by " + cause, &verdict);
  }
  return verdict;
}

}  // namespace fleetmark
