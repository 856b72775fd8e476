#pragma once

#include "coordinator/core_state.h"

// The line to one agent: Describe until it answers, then one Sync after the other. A refused connection makes it
// offline at once, silence after `offline_after_s`.
namespace fleetmark {

// The pause between a report's commit and a Sync of its own for its ack; most acks leave with a Sync that is due
// anyway.
inline constexpr int64_t kAckDelayNs = 50'000'000;

// The agent has just described itself: begin to Sync.
void ConnectNow(StepContext& step, Agent& agent);
// Ask it to describe itself.
void Dial(StepContext& step, Agent& agent);
// Forgets the call under way.
void DropLink(StepContext& step, Agent& agent);
void GoOffline(StepContext& step, Agent& agent, const std::string& reason);

void OnLinkDescribed(StepContext& step, const Described& event);
void OnSynced(StepContext& step, const Synced& event);
// Ends the Sync under way in favour of a new one that says what has changed.
void SyncAgain(StepContext& step, Agent& agent);
// The same, to be answered at once with all that the agent has.
void AskWhatItHas(StepContext& step, Agent& agent);

// Deadlines of the line that have come; the next one. kNever for none.
void TickLink(StepContext& step, Agent& agent);
int64_t NextLinkDeadline(const CoreState& state, const Agent& agent);

// The agent's CLOCK_BOOTTIME now, or a little before.
int64_t BoottimeThere(const Agent& agent, int64_t now_ns);
// By our clock when the agent's reads `boottime_ns`, or a little later; for a moment of the boot that it told of last.
int64_t BoottimeHere(const Agent& agent, int64_t boottime_ns);

}  // namespace fleetmark
