#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "agent/agent_loop.h"
#include "tests/fakes/temporary_directory.h"

namespace fleetmark::agent {

// Waits until `condition` holds; false after 20 s.
bool WaitUntil(const std::function<bool()>& condition);

// An AgentLoop with the fake runner, and a coordinator's side of the protocol in short.
class AgentTest : public testing::Test {
 protected:
  void SetUp() override { StartLoop(); }
  AgentLoop::Options Options() const;
  void StartLoop() { StartLoop(Options()); }
  void StartLoop(AgentLoop::Options options);

  v1::Fence NewFence();
  v1::StartRunRequest Request(const std::string& attempt_id, const std::string& workload,
                              const std::map<std::string, std::string>& parameters = {});
  // A Sync that wants `desired` to go on and waits for news since `known_revision`.
  StatusOr<v1::SyncResponse> Sync(const std::vector<std::string>& desired, int known_revision = 0,
                                  const std::vector<v1::Ack>& acks = {});
  StatusOr<v1::AttemptStatus> Cancel(const std::string& attempt_id, double grace_s = 0);
  // Runs it to its end and returns its report.
  v1::AttemptReport Run(const std::string& workload, const std::map<std::string, std::string>& parameters = {});
  v1::AttemptReport WaitForReport(const std::string& attempt_id);
  void WaitForState(const std::string& attempt_id, const std::string& state);

  TemporaryDirectory directory_;
  std::unique_ptr<AgentLoop> loop_;
  double seq_ = 0;
  int next_attempt_ = 1;
};

}  // namespace fleetmark::agent
