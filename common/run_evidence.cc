#include "common/run_evidence.h"

#include <algorithm>
#include <vector>

#include "common/steadiness.h"

namespace fleetmark {

v1::Steadiness SteadinessOf(const v1::Result& result) {
  v1::Steadiness described;
  const auto samples = std::find_if(result.samples().begin(), result.samples().end(),
                                    [](const v1::Samples& candidate) { return candidate.name() == "step_s"; });
  if (samples == result.samples().end()) return described;
  const std::vector<double> step_s(samples->values().begin(), samples->values().end());
  const Steadiness steadiness = DescribeSteadiness(step_s, std::max(1, result.summary().steps_per_sample()));
  if (steadiness.burst_it_per_s) described.set_burst_it_per_s(*steadiness.burst_it_per_s);
  if (steadiness.sustained_it_per_s) described.set_sustained_it_per_s(*steadiness.sustained_it_per_s);
  if (steadiness.drift) described.set_drift(*steadiness.drift);
  for (const ChangePoint& change : steadiness.change_points) {
    v1::ChangePoint* point = described.add_change_points();
    point->set_sample(static_cast<int>(change.sample));
    point->set_at_s(change.at_s);
    point->set_before_s(change.before_s);
    point->set_after_s(change.after_s);
  }
  return described;
}

}  // namespace fleetmark
