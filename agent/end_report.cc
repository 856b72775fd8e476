#include "agent/end_report.h"

#include <string>
#include <utility>

namespace fleetmark::agent {
namespace {

void SetEnd(v1::AttemptReport* report, const char* outcome, bool is_retryable, const char* kind, std::string message,
            const char* hint) {
  report->set_outcome(outcome);
  report->set_retryable(is_retryable);
  report->mutable_failure()->set_kind(kind);
  report->mutable_failure()->set_message(std::move(message));
  report->mutable_failure()->set_hint(hint);
  report->clear_result();
}

// What the machine's own profile set and nobody overrode.
void TellProfile(const v1::StartRunRequest& request, v1::Result* result) {
  for (const auto& [name, value] : request.profile_settings()) {
    if (!request.spec().parameters().contains(name)) (*result->mutable_profile_settings())[name] = value;
  }
}

std::string SecondsText(double seconds) {
  std::string text = std::to_string(seconds);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text + " s";
}

}  // namespace

v1::AttemptReport CompleteReport(const Attempt& attempt, v1::AttemptReport draft, double finished_unix_s) {
  v1::AttemptReport report = std::move(draft);
  report.set_run_id(attempt.request.run_id());
  report.set_attempt_id(attempt.request.attempt_id());
  report.set_accepted_unix_s(attempt.accepted_unix_s);
  report.set_started_unix_s(attempt.started_unix_s);
  report.set_finished_unix_s(finished_unix_s);
  if (report.has_result()) TellProfile(attempt.request, report.mutable_result());
  switch (attempt.cause) {
    case EndCause::kNone:
      break;
    case EndCause::kCancelled:
      SetEnd(&report, "cancelled", false, "cancelled", attempt.reason.empty() ? "cancelled" : attempt.reason, "");
      break;
    case EndCause::kTimedOut:
      SetEnd(&report, "timed_out", false, "timeout",
             "it was still running after its limit of " + SecondsText(attempt.request.max_runtime_s()),
             "give it longer with --timeout, or less to do");
      break;
    case EndCause::kLeaseExpired:
      SetEnd(&report, "interrupted", true, "lease_expired",
             "it was stopped because the coordinator was not heard from for the length of its lease", "");
      break;
    case EndCause::kAgentStopped:
    case EndCause::kAgentRestarted:
      SetEnd(&report, "interrupted", true, "agent_restarted", attempt.reason, "");
      break;
  }
  return report;
}

}  // namespace fleetmark::agent
