#include "agent/worker/steady_part.h"

#include "common/warmup.h"

namespace fleetmark {

void KeepSteadyPart(LoopResult* loop) {
  const Warmup warmup = FindWarmup(loop->step_s);
  loop->is_steady = warmup.is_steady;
  if (warmup.samples == 0) return;
  const LoopTotals left_out = loop->totals[warmup.samples - 1];
  loop->warmup_steps += left_out.steps;
  loop->warmup_found = left_out.steps;
  loop->warmup_found_s = left_out.measured_s;
  loop->steps -= left_out.steps;
  loop->samples -= left_out.samples;
  loop->measured_s -= left_out.measured_s;
  const auto count = static_cast<ptrdiff_t>(warmup.samples);
  loop->warmup_step_s.assign(loop->step_s.begin(), loop->step_s.begin() + count);
  loop->step_s.erase(loop->step_s.begin(), loop->step_s.begin() + count);
  loop->totals.erase(loop->totals.begin(), loop->totals.begin() + count);
  for (LoopTotals& totals : loop->totals) {
    totals.steps -= left_out.steps;
    totals.samples -= left_out.samples;
    totals.measured_s -= left_out.measured_s;
  }
}

}  // namespace fleetmark
