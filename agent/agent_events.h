#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "agent/attempt.h"
#include "common/status.h"
#include "fleetmark/v1/agent.pb.h"
#include "fleetmark/v1/run.pb.h"

// What goes into AgentCore and what comes out of it.
namespace fleetmark::agent {

// Names one call that waits for its Reply.
using CallId = uint64_t;

// -- Events: calls.
struct StartRunCall {
  CallId call;
  v1::StartRunRequest request;
  // Of taking the device's lock for this attempt; whoever feeds the event holds the lock until it sees a SpawnWorker
  // for the attempt, and lets go of it when there is none.
  Status lock = OkStatus();
};
struct CancelRunCall {
  CallId call;
  v1::CancelRunRequest request;
};
struct SyncCall {
  CallId call;
  v1::SyncRequest request;
};
struct DrainCall {
  CallId call;
  v1::DrainRequest request;
};
struct CallGone {  // its caller no longer waits
  CallId call;
};

// -- Events: of the machine.
struct AgentStarted {};  // the first; starts the recovery of what the journal held
struct WorkerSpawned {   // it waits behind its gate
  std::string attempt_id;
  ProcessIdentity process;
};
struct SpawnFailed {
  std::string attempt_id;
  Status reason;
};
// It was reaped, and so was everything it had started. `draft` is the report as the worker alone decides it: outcome
// "succeeded" or "failed", failure, exit, stderr, result. Who and when is added by the core.
struct WorkerEnded {
  std::string attempt_id;
  v1::AttemptReport draft;
};
struct StaleWorkerGone {
  std::string attempt_id;
};
struct CapacityChanged {  // why no new work can be taken, as a Status whose kind the caller is to see; OK when it can
  Status status;
};
struct StopRequested {};
struct Tick {};
// Ids whose start_by has passed need not be remembered. Apart from Tick, which writes nothing: a full disk must not
// keep deadlines from being acted on.
struct PurgeDue {};

using Event = std::variant<StartRunCall, CancelRunCall, SyncCall, DrainCall, CallGone, AgentStarted, WorkerSpawned,
                           SpawnFailed, WorkerEnded, StaleWorkerGone, CapacityChanged, StopRequested, Tick, PurgeDue>;

// -- Effects, performed in order and only after the writes of the same batch are committed.
struct SpawnWorker {
  std::string attempt_id;
  v1::RunSpec spec;
  std::string device_uuid;
  std::string telemetry;  // as StartRunRequest.telemetry
};
struct OpenGate {
  std::string attempt_id;
};
struct SignalWorker {
  std::string attempt_id;
  bool is_kill;  // SIGKILL to the group; else SIGTERM
};
struct KillStaleWorker {  // of an earlier process of this agent; answered by StaleWorkerGone
  std::string attempt_id;
  ProcessIdentity process;
};
using CallResponse = std::variant<std::monostate, v1::AttemptStatus, v1::SyncResponse, v1::DrainResponse>;
struct Reply {
  CallId call;
  Status status;
  CallResponse response;
};
struct AnnounceStatus {  // to those who watch the attempt
  v1::AttemptStatus status;
};
struct LogLine {
  bool is_warning;
  std::string text;
};
struct Stopped {};  // after StopRequested: nothing runs any more

using Effect =
    std::variant<SpawnWorker, OpenGate, SignalWorker, KillStaleWorker, Reply, AnnounceStatus, LogLine, Stopped>;

struct Outcome {
  std::vector<JournalWrite> writes;
  std::vector<Effect> effects;
};

}  // namespace fleetmark::agent
