#include "agent/worker/known_ceilings.h"

#include <algorithm>
#include <cmath>

#include "agent/worker/failure.h"
#include "common/clock.h"

namespace fleetmark {
namespace {

// Of a ceiling that stays below what the run did: a neighbour may have come just when the run was over.
constexpr int kMostTries = 3;

}  // namespace

double KnownCeilings::Of(const std::string& resource, const std::string& dtype, double rate,
                         const std::function<double()>& measure) {
  auto known = std::find_if(known_.begin(), known_.end(), [&](const Ceiling& ceiling) {
    return ceiling.resource == resource && ceiling.dtype == dtype;
  });
  if (known == known_.end()) known = known_.insert(known, {resource, dtype, 0, 0});
  for (int tries = 0; tries < kMostTries && !(rate <= known->rate); ++tries) {
    const double measured = measure();
    if (measured > known->rate) *known = {resource, dtype, measured, RealClock().Now().unix_s()};
  }
  if (!std::isfinite(known->rate) || known->rate <= 0) {
    throw RunFailure(Unsupported("no kernel that measures the ceiling of " + resource + " runs on this device" +
                                 (dtype.empty() ? "" : " in " + dtype)));
  }
  compared_.push_back(*known);
  return known->rate;
}

}  // namespace fleetmark
