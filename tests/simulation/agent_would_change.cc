#include <set>
#include <string>
#include <utility>

#include "common/overloaded.h"
#include "tests/simulation/core_reader.h"
#include "tests/simulation/digest.h"
#include "tests/simulation/world.h"

// Whether a call would come to anything, for whoever would rather forget it.
namespace fleetmark::simulation {

bool AgentProcess::WouldChange(const Request& request) const {
  return std::visit(
      Overloaded{[](const v1::DescribeRequest&) { return false; }, [](const FetchReport&) { return false; },
                 [this](const v1::SyncRequest& sync) {
                   return WouldChangeBy(agent::SyncCall{0, sync});
                 },
                 [this](const v1::StartRunRequest& start) {
                   return WouldChangeBy(agent::StartRunCall{0, start, {}});
                 },
                 [this](const v1::CancelRunRequest& cancel) {
                   return WouldChangeBy(agent::CancelRunCall{0, cancel});
                 },
                 [this](const v1::DrainRequest& drain) {
                   return WouldChangeBy(agent::DrainCall{0, drain});
                 }},
      request);
}

// Tries it on a copy of the core, and on what a restart would make of the journal: what is refused only until then may
// do something after it.
bool AgentProcess::WouldChangeBy(const agent::Event& event) const {
  if (!is_alive() || WouldChange(*core_, event)) return true;
  agent::AgentCore restarted = CoreOver("a restarted process");
  agent::Outcome ignored;
  restarted.Step(agent::AgentStarted{}, machine_->Now(), &ignored);
  return WouldChange(std::move(restarted), event);
}

bool AgentProcess::WouldChange(agent::AgentCore core, const agent::Event& event) const {
  const auto fingerprint = [&] {
    Digest digest;
    CoreReader::Describe(core, index_, machine_->Now().boottime_ns, &digest);
    digest.Add(CoreReader::RevisionOf(core));
    return digest.Finish();
  };
  const uint64_t before = fingerprint();
  agent::Outcome outcome;
  core.Step(event, machine_->Now(), &outcome);
  const auto* reply = outcome.effects.size() == 1 ? std::get_if<agent::Reply>(&outcome.effects[0]) : nullptr;
  if (reply == nullptr || !outcome.writes.empty()) return true;
  // For these reasons it is refused at any later time as well.
  static const std::set<std::string> kForGood = {"stale_fence", "other_incarnation", "too_late", "other_spec"};
  const bool is_for_good = reply->status.ok() ? !std::holds_alternative<agent::StartRunCall>(event)
                                              : kForGood.contains(reply->status.kind());
  return !is_for_good || fingerprint() != before;
}

}  // namespace fleetmark::simulation
