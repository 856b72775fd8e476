#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/agent_loop.h"
#include "agent/agent_service.h"
#include "coordinator/coordinator.h"
#include "tests/fakes/temporary_directory.h"
#include "tests/unit/protocol/post_office.h"

namespace fleetmark {

// An agent with the fake runner, reached through a post office of its own that outlives its restarts.
class AgentMachine {
 public:
  AgentMachine(const std::string& name, std::filesystem::path state_dir);
  ~AgentMachine();
  void Start();
  void Stop();
  // As if somebody had put a new disk in.
  void RemoveJournal();

  // The state of an attempt as the agent lists it; "" when it does not.
  std::string StateOf(const std::string& attempt_id);
  // How many workers were ever started.
  int spawned() const;

  const std::string name;
  PostOffice post;

 private:
  const std::filesystem::path state_dir_;
  std::unique_ptr<agent::AgentLoop> loop_;
  std::unique_ptr<agent::AgentService> service_;
  std::unique_ptr<GrpcServer> server_;
};

// Coordinators with real connections, and what a test wants of them.
class FleetFixture : public testing::Test {
 protected:
  std::unique_ptr<Coordinator> StartCoordinator(const std::string& directory = "coordinator");
  std::unique_ptr<AgentMachine> StartMachine(const std::string& name);
  static void Join(Coordinator& coordinator, const AgentMachine& machine);
  static std::string Submit(Coordinator& coordinator, const std::string& workload, const std::string& on = "lab",
                            double seconds = 0, int retries = 0);
  static v1::RunInfo RunOf(Coordinator& coordinator, const std::string& run_id);
  static v1::AgentInfo AgentOf(Coordinator& coordinator, const std::string& name);
  // Returns the run as it is then, also after a time in which it has not come to that.
  static v1::RunInfo WaitForState(Coordinator& coordinator, const std::string& run_id, const std::string& state);

  TemporaryDirectory directory_;
  CoordinatorSettings settings_{"", 60, 30, 0};
};

}  // namespace fleetmark
