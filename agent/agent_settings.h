#pragma once

#include <map>
#include <string>

#include "agent/agent_loop.h"
#include "common/settings.h"

namespace fleetmark::agent {

// What `serve` and `run` can be told. Defaults are those of this machine and user.
struct AgentSettings {
  AgentSettings();

  std::string name;
  std::string listen = "127.0.0.1:7810";
  std::string address_file;
  std::string advertise;
  std::string coordinator;
  std::string state_dir;
  std::string dataset_dir;
  std::string runtimes_dir;
  std::string lock_dir = "/tmp/fleetmark-locks";
  bool share = false;
  double telemetry_interval_s = Sampler::kUsualIntervalS;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> runners;
  double min_free_mb = 500;
  bool insecure = false;
  std::string log_level = "info";
  std::string log_format = "text";

  // What every verb that runs workers takes.
  void AddMachine(Settings* settings);
  // What only a server takes.
  void AddServer(Settings* settings);
  void AddDatasetDir(Settings* settings);
  void AddRuntimesDir(Settings* settings);
  void AddStateDir(Settings* settings);

  // What they say of the loop; which runtimes there are is not found out yet.
  AgentLoop::Options ForLoop() const;
};

}  // namespace fleetmark::agent
