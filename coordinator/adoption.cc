#include "coordinator/adoption.h"

#include <algorithm>

#include "common/ids.h"
#include "common/run_spec.h"
#include "coordinator/run_state.h"

namespace fleetmark {
namespace {

// By the wall clock, which may have been set meanwhile; waiting once too often does no harm.
constexpr double kFreshlyRestoredS = 24 * 3600;

}  // namespace

bool IsAdoptable(CoreState& state, const Agent& agent, const v1::AttemptStatus& status) {
  const Run* run = FindRun(state, status.run_id());
  if (run == nullptr || run->live != nullptr) return false;
  if (!run->record.target_agent_id.empty() && run->record.target_agent_id != agent.id()) return false;
  v1::RunSpec spec = run->record.spec;
  spec.set_device(status.device());
  return SpecSha256(spec) == status.spec_sha256();
}

Attempt& Adopt(StepContext& step, Agent& agent, const v1::AttemptStatus& status) {
  Attempt& attempt =
      PlaceAttempt(step, agent, *FindRun(step.state, status.run_id()), status.device(), status.attempt_id());
  step.Log(Severity::kWarning, "agent " + agent.name() + " has attempt " + status.attempt_id() + " of run " +
                                   std::string(ShortId(status.run_id())) + " (" + status.state() +
                                   "), begun after the backup that this store was restored from; it counts");
  // The Sync that listed it was the proof that the agent has it; a later one has to say so itself.
  attempt.absence_counts_from = step.state.next_call;
  ApplyStatus(step, agent, attempt, status);
  return attempt;
}

bool IsFromBeforeRestore(const CoreState& state, const AttemptRecord& attempt) {
  const double restored_unix_s = state.config.epoch.restored_unix_s;
  return restored_unix_s > 0 && attempt.dispatched_unix_s <= restored_unix_s;
}

int64_t HoldAnyRunsNs(const CoreConfig& config, Moment now) {
  const Epoch& epoch = config.epoch;
  if (epoch.restored_unix_s == 0 || now.unix_s() - epoch.restored_unix_s > kFreshlyRestoredS) return 0;
  return SecondsToNanos(std::max(epoch.previous_lease_s, config.lease_s)) + kKillBoundNs;
}

}  // namespace fleetmark
