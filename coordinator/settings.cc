#include "coordinator/settings.h"

#include <cstdlib>

#include "common/files.h"

namespace fleetmark {
namespace {

std::string DefaultStateDirectory() {
  if (const char* state = std::getenv("XDG_STATE_HOME")) return std::string(state) + "/fleetmark/coordinator";
  const char* home = std::getenv("HOME");
  return std::string(home == nullptr ? "." : home) + "/.local/state/fleetmark/coordinator";
}

}  // namespace

void CoordinatorFlags::AddTo(Settings* settings) {
  state_dir = DefaultStateDirectory();
  reference_dir = (ProgramDirectory().parent_path() / "share/fleetmark/reference").string();
  settings->Add("listen", &listen, "HOST:PORT to serve on; port 0 picks one");
  settings->Add("address-file", &address_file, "File to write the address to that it really listens on");
  settings->Add("state-dir", &state_dir, "Where the store is kept");
  settings->Add("reference-dir", &reference_dir, "Published numbers, one WORKLOAD.csv each");
  settings->Add("log-level", &log_level, "debug, info, warn or error");
  settings->Add("log-format", &log_format, "text or json");
  settings->Add("insecure", &insecure,
                "Serve and call beyond loopback without TLS: anybody on the network can then read and submit");
  settings->Add("lease", &lease_s, "Seconds that an \"any\" run goes on without contact to its coordinator");
  settings->Add("offline-after", &offline_after_s, "Seconds of silence after which an agent counts as offline");
  settings->Add("min-free-mb", &min_free_mb, "MB of free disk below which new jobs are refused");
}

CoordinatorSettings CoordinatorFlags::ForCoordinator() const {
  return {state_dir, lease_s, offline_after_s, min_free_mb};
}

}  // namespace fleetmark
