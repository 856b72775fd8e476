#pragma once

#include <string>

#include "common/settings.h"
#include "coordinator/coordinator.h"

namespace fleetmark {

// What fleetmark-coordinator can be told, with the defaults.
struct CoordinatorFlags {
  std::string listen = "127.0.0.1:7800";
  std::string address_file;
  std::string state_dir;      // by default under XDG_STATE_HOME
  std::string reference_dir;  // by default beside the program
  std::string log_level = "info";
  std::string log_format = "text";
  bool insecure = false;
  double lease_s = 60;
  double offline_after_s = 30;
  double min_free_mb = 200;

  // Fills in the defaults that depend on where this runs, and declares every setting.
  void AddTo(Settings* settings);
  CoordinatorSettings ForCoordinator() const;
};

}  // namespace fleetmark
