#pragma once

#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "coordinator/coordinator_core.h"
#include "coordinator/store.h"
#include "tests/fakes/fake_clock.h"
#include "tests/unit/coordinator/scripted_agent.h"

namespace fleetmark {

// CoordinatorCore with a real store, a fake clock and scripted agents: every effect is carried out as the loop does,
// the writes first. Fails the test when an index of the core is not what a full walk gives, when a StartRun leaves
// whose attempt is not stored as dispatched, or an ack whose report is not stored.
class CoreHarness {
 public:
  CoreHarness();
  ~CoreHarness();

  ScriptedAgent& AddAgent(const std::string& name);   // joins by Register
  ScriptedAgent& MakeAgent(const std::string& name);  // exists, has not joined
  Status Register(ScriptedAgent& agent);

  // A new core from what is stored, as after kill -9.
  void RestartCoordinator();
  // The coordinator's machine is lost after a backup, which Restore makes the store of the next one.
  void BackUp();
  void LoseTheStore();
  void Restore();
  // Lets `seconds` pass, acting on each deadline.
  void Advance(double seconds);
  // Carries out whatever is under way until nothing more comes by itself.
  void Settle();

  static v1::SubmitRequest Request(const std::string& on = "");
  StatusOr<v1::SubmitResponse> Submit(const v1::SubmitRequest& request);
  // One run; fails the test when it is refused.
  std::string SubmitOne(const v1::SubmitRequest& request);
  Status Cancel(const std::vector<std::string>& run_ids);
  StatusOr<v1::TunedProfile> KeepProfile(const v1::TunedProfile& profile);
  Status KeepProfiles(const std::vector<v1::TunedProfile>& profiles);
  StatusOr<std::vector<v1::TunedProfile>> ForgetProfiles(const v1::ProfileFilter& filter);
  Status Remove(const std::string& name);
  Status Drain(const std::string& name, bool on);

  v1::RunInfo RunOf(const std::string& run_id);
  std::string StateOf(const std::string& run_id) { return RunOf(run_id).state(); }
  std::string ReasonOf(const std::string& run_id) { return RunOf(run_id).reason(); }
  v1::AgentInfo AgentOf(const std::string& name);

  // The agent reports the outcome of what it runs, and everything that follows happens.
  void Finish(ScriptedAgent& agent, const std::string& outcome = "succeeded", bool retryable = false);

  int commits = 0;
  FakeClock clock;
  std::map<std::string, std::unique_ptr<ScriptedAgent>> agents;  // by name
  std::unique_ptr<Store> store;
  std::unique_ptr<StoreReader> reader;
  std::unique_ptr<CoordinatorCore> core;
  double lease_s = 60;
  size_t dispatched_at_once = CoreConfig().dispatched_at_once;  // from the next core on

 private:
  struct ParkedSync {
    SyncCall call;
    ScriptedAgent* agent;
  };
  Reply Ask(const std::function<Event(uint64_t)>& make);
  void StepOnce(const Event& event);
  void Perform(const Call& call);
  void PerformDescribe(const DescribeCall& call);
  void PerformSync(const SyncCall& call);
  void PerformOrder(const OrderCall& call);
  void PerformFetch(const FetchCall& call);
  void Answer(const OrderCall& call, const StatusOr<v1::AttemptStatus>& status);
  void TakeAcks(ScriptedAgent& agent, const v1::SyncRequest& request);
  void AnswerParked();
  ScriptedAgent* At(const std::string& address);
  void OpenStore();
  void Build();

  std::filesystem::path directory_;
  std::deque<Event> events_;
  std::vector<ParkedSync> parked_;
  std::map<uint64_t, Reply> replies_;
  uint64_t next_reply_ = 1;
};

}  // namespace fleetmark
