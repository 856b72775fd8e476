#pragma once

#include <map>
#include <string>

#include "agent/attempt.h"

namespace fleetmark::agent {

// The agent's journal without a file: what is not journaled does not survive, as in agent/journal.cc.
struct MemoryJournal {
  void Apply(const JournalWrite& write) {
    std::visit([this](const auto& typed) { On(typed); }, write);
  }

  JournalContents contents;
  std::map<std::string, std::string> reports;  // by attempt id; those of retired attempts too, which `contents` lacks

 private:
  void On(const PutAttempt& put) {
    Attempt& stored = contents.attempts[put.attempt.request.attempt_id()] = put.attempt;
    stored.state = stored.process ? AttemptState::kRunning : AttemptState::kAccepted;
    if (stored.cause != EndCause::kCancelled) stored.cause = EndCause::kNone;
    stored.runtime_deadline_ns = stored.kill_at_ns = 0;
  }
  void On(const PutReport& put) {
    Attempt& stored = contents.attempts.at(put.attempt_id);
    stored.state = AttemptState::kResultReady;
    stored.report_sha256 = put.sha256;
    stored.report_bytes = static_cast<double>(put.bytes.size());
    reports[put.attempt_id] = put.bytes;
  }
  void On(const RetireAttempt& retire) {
    contents.attempts.erase(retire.attempt_id);
    contents.retired[retire.attempt_id] = retire.retired;
  }
  void On(const ForgetRetired& forget) { contents.retired.erase(forget.attempt_id); }
  void On(const PutFence& put) { contents.fence = put.fence; }
  void On(const PutDraining& put) { contents.is_draining = put.is_draining; }
};

}  // namespace fleetmark::agent
