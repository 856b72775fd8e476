#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/unit/coordinator/core_harness.h"

// The harness compares every index with a full walk after each Step; here is what makes those Steps many and odd.
namespace fleetmark {
namespace {

const std::vector<std::string> kNames = {"one", "two", "three", "four", "five"};

// A fleet to which anything happens, from one seed.
class RandomFleet {
 public:
  explicit RandomFleet(uint32_t seed) : random_(seed) {
    fleet_.dispatched_at_once = seed % 2 == 0 ? 2 : 100;
    fleet_.RestartCoordinator();
    for (const std::string& name : kNames) fleet_.AddAgent(name);
  }

  void Disturb() {
    ScriptedAgent& agent = *fleet_.agents.at(Pick(kNames));
    switch (Below(16)) {
      case 0:
      case 1:
      case 2:
        return Submit();
      case 3:
        return Cancel();
      case 4:
        agent.is_up = !agent.is_up;
        return fleet_.Settle();
      case 5:
        agent.is_silent = !agent.is_silent;
        return;
      case 6:
        agent.Restart();
        return fleet_.Settle();
      case 7:
        agent.LoseJournal();
        return fleet_.Settle();
      case 8:
        agent.on_start = static_cast<OnStart>(Below(4));
        return;
      case 9:
        agent.not_accepting = agent.not_accepting.empty() ? "disk nearly full" : "";
        ++agent.revision;
        return fleet_.Settle();
      case 10:
        (void)fleet_.Drain(agent.description.name(), Below(2) == 0);
        return;
      case 11:
        return LeaveOrJoin(agent);
      case 12:
        return Below(4) == 0 ? fleet_.RestartCoordinator() : fleet_.Settle();
      default:
        Finish();
        return fleet_.Advance(Below(3) == 0 ? Below(80) : 0.1 * Below(10));
    }
  }

  // Everybody is well again; whatever was submitted must come to an end.
  void Recover() {
    for (const auto& [name, agent] : fleet_.agents) {
      agent->is_up = true;
      agent->is_silent = false;
      agent->on_start = OnStart::kRun;
      agent->not_accepting.clear();
      ++agent->revision;
      fleet_.Advance(60);
      // As agents do that were not heard: the harness never answers a call that met a silent one.
      const std::string state = fleet_.AgentOf(name).state();
      if (state.empty() || state == "offline") (void)fleet_.Register(*agent);
      (void)fleet_.Drain(name, false);
    }
    for (size_t round = 0; round < 4 * runs_.size() + 8; ++round) {
      Finish();
      fleet_.Advance(30);
    }
    for (const std::string& run : runs_) {
      const v1::RunInfo info = fleet_.RunOf(run);
      EXPECT_TRUE(info.state() != "queued" && info.state() != "running") << info.state() << ": " << info.reason();
    }
  }

 private:
  int Below(int limit) { return static_cast<int>(random_() % static_cast<uint32_t>(limit)); }
  const std::string& Pick(const std::vector<std::string>& words) {
    return words[Below(static_cast<int>(words.size()))];
  }

  void Submit() {
    v1::SubmitRequest request = CoreHarness::Request(Below(2) == 0 ? "any" : Below(4) == 0 ? "all" : Pick(kNames));
    request.set_repeat(1 + Below(3));
    request.set_priority(Below(3));
    request.set_retries(Below(3));
    const StatusOr<v1::SubmitResponse> response = fleet_.Submit(request);
    if (response.ok()) runs_.insert(runs_.end(), response->run_ids().begin(), response->run_ids().end());
  }

  void Cancel() {
    if (!runs_.empty()) (void)fleet_.Cancel({Pick(runs_)});
  }

  void LeaveOrJoin(ScriptedAgent& agent) {
    if (fleet_.AgentOf(agent.description.name()).name().empty()) {
      if (agent.is_up && !agent.is_silent) (void)fleet_.Register(agent);
    } else {
      (void)fleet_.Remove(agent.description.name());
    }
  }

  // Each machine that runs something ends it, one way or another.
  void Finish() {
    for (const auto& [name, agent] : fleet_.agents) {
      const std::string attempt_id = agent->Running();
      if (attempt_id.empty() || !agent->is_up || Below(2) == 0) continue;
      agent->Report(attempt_id, Below(3) == 0 ? "interrupted" : "succeeded", Below(2) == 0);
    }
    fleet_.Settle();
  }

  CoreHarness fleet_;
  std::mt19937 random_;
  std::vector<std::string> runs_;
};

TEST(CoreIndex, IsWhatAFullWalkGivesAndNoRunWaitsForEver) {
  constexpr uint32_t kSeeds = 4;
  constexpr int kDisturbances = 60;
  for (uint32_t seed = 1; seed <= kSeeds && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomFleet fleet(seed);
    for (int i = 0; i < kDisturbances && !testing::Test::HasFatalFailure(); ++i) fleet.Disturb();
    fleet.Recover();
  }
}

// Those who ask wait for the commit of a Step: it must not grow with the fleet.
TEST(CoreIndex, AJobForManyMachinesIsSentInParts) {
  CoreHarness fleet;
  fleet.dispatched_at_once = 2;
  fleet.RestartCoordinator();
  for (const std::string& name : kNames) fleet.AddAgent(name);
  Effects effects;
  fleet.core->Step(SubmitAsked{1, CoreHarness::Request("all")}, fleet.clock.Now(), &effects);
  std::vector<size_t> sent;
  for (sent = {effects.calls.size()}; sent.size() < 5; sent.push_back(effects.calls.size())) {
    const Moment now = fleet.clock.Now();
    if (fleet.core->NextWakeup(now) > now.boottime_ns) break;
    effects = {};
    fleet.core->Step(Ticked{}, now, &effects);
    EXPECT_EQ("", fleet.core->FindIndexFault(now));
  }
  EXPECT_THAT(sent, testing::ElementsAre(2, 2, 1));
}

}  // namespace
}  // namespace fleetmark
