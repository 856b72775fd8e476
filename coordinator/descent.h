#pragma once

#include "common/status.h"
#include "coordinator/store.h"
#include "fleetmark/v1/agent.pb.h"

// Whose agents a coordinator may take over. Two coordinators must never both go on from one store: a copy that somebody
// starts beside the original has to be refused, while a backup that a person restores has to be taken.
//
// The rule: an agent is taken over when the coordinator that it obeyed last is one that this store remembers, or of an
// epoch before that of a restore, which is a person's word that nothing else counts any more. Numbers alone do not
// tell: a copy's epoch grows with each of its starts.
namespace fleetmark {

// The epoch that a restore takes, so that the next start has one above all that came after the backup. Nobody can look
// those up any more, so it follows the time: a tenth of the seconds since 2020, which a coordinator that restarts less
// than every ten seconds does not reach. Never below `at_least`.
int EpochOfRestore(int epoch_of_backup, int at_least, double unix_s);

// OK, or FAILED_PRECONDITION: "old_epoch" when the agent has seen a newer one, "other_coordinator" when it has obeyed a
// coordinator that is none of this store's past.
Status CheckDescent(const Epoch& epoch, const v1::AgentDescription& agent);

}  // namespace fleetmark
