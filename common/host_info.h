#pragma once

#include <string>

namespace fleetmark {

// What this machine is, as its kernel says it. What it does not say is "" or 0, never a guess.
struct HostInfo {
  std::string hostname;
  std::string os;            // "Debian GNU/Linux 12 (bookworm)"
  std::string kernel;        // "6.1.0-18-amd64"
  std::string cpu_model;     // "AMD EPYC 9B45"; the architecture where /proc/cpuinfo names no model
  int cpu_count = 0;         // logical CPUs that this process may run on
  int physical_cores = 0;    // cores behind them; at least 1
  std::string cpu_governor;  // "performance"; "" when the machine does not say
  double memory_bytes = 0;   // of the machine, or of the control group when that allows less
};

// Reads /proc, /sys and /etc/os-release anew at each call (about a millisecond). Thread-safe.
HostInfo ReadHostInfo();

// The NVIDIA display driver's version ("535.183.01"); "" without one.
std::string ReadGpuDriverVersion();

// One-minute load average; -1 when it cannot be read.
double ReadLoadAverage();

// Processes that this kernel has killed since its start for want of memory, of the machine or of a control group; -1
// when it does not say.
double ReadOomKills();

}  // namespace fleetmark
