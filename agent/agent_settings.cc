#include "agent/agent_settings.h"

#include <cstdlib>

#include "agent/runners.h"
#include "common/host_info.h"

namespace fleetmark::agent {
namespace {

// XDG's directory for `variable`, else HOME/`fallback`; of this program's part of it.
std::string UserDirectory(const char* variable, const char* fallback, const char* part) {
  if (const char* directory = std::getenv(variable); directory != nullptr && *directory == '/') {
    return std::string(directory) + "/fleetmark/" + part;
  }
  const char* home = std::getenv("HOME");
  return std::string(home == nullptr ? "/var/lib" : home) + "/" + fallback + "/fleetmark/" + part;
}

}  // namespace

AgentSettings::AgentSettings()
    : name(ReadHostInfo().hostname),
      state_dir(UserDirectory("XDG_STATE_HOME", ".local/state", "agent")),
      dataset_dir(UserDirectory("XDG_DATA_HOME", ".local/share", "datasets")),
      runtimes_dir(UserDirectory("XDG_DATA_HOME", ".local/share", "runtimes")) {}

void AgentSettings::AddMachine(Settings* settings) {
  AddDatasetDir(settings);
  AddRuntimesDir(settings);
  settings->Add("lock-dir", &lock_dir, "Directory of the device locks, the same for all agents of this machine");
  settings->Add("share", &share, "Allow one worker per device at a time instead of one per machine");
  settings->Add("telemetry-interval", &telemetry_interval_s, "Seconds between two readings of a sensor");
  settings->Add("runner", &runners,
                "Program that executes a runtime, as NAME=PATH; libtorch is fleetmark-worker by default");
}

void AgentSettings::AddServer(Settings* settings) {
  settings->Add("name", &name, "Name of this agent");
  settings->Add("listen", &listen, "Address to serve on, HOST:PORT; port 0 picks one");
  settings->Add("address-file", &address_file, "File to write the address to that it really listens on");
  settings->Add("advertise", &advertise, "HOST:PORT at which the coordinator calls back; default: where it listens");
  settings->Add("coordinator", &coordinator, "HOST:PORT of the coordinator to register at");
  settings->Add("label", &labels, "Label to choose agents by, as KEY=VALUE");
  settings->Add("min-free-mb", &min_free_mb, "Take no new run when fewer megabytes are free in the state directory");
  settings->Add("insecure", &insecure,
                "Allow listening and dialling beyond loopback, without encryption or authentication");
  settings->Add("log-level", &log_level, "debug, info, warn or error");
  settings->Add("log-format", &log_format, "text or json");
}

void AgentSettings::AddDatasetDir(Settings* settings) {
  settings->Add("dataset-dir", &dataset_dir, "Directory of the data sets");
}

void AgentSettings::AddRuntimesDir(Settings* settings) {
  settings->Add("runtimes-dir", &runtimes_dir, "Directory of the runtimes that `fleetmark-agent runtimes add` sets up");
}

void AgentSettings::AddStateDir(Settings* settings) {
  settings->Add("state-dir", &state_dir, "Directory of the journal and the logs");
}

AgentLoop::Options AgentSettings::ForLoop() const {
  AgentLoop::Options options;
  options.name = name;
  options.state_directory = state_dir;
  options.lock_directory = lock_dir;
  options.share = share;
  options.telemetry_interval_s = telemetry_interval_s;
  options.dataset_directory = dataset_dir;
  options.min_free_bytes = min_free_mb * 1e6;
  options.runners = RunnerPaths(runners, runtimes_dir);
  return options;
}

}  // namespace fleetmark::agent
