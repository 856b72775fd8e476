#pragma once

#include <optional>
#include <string>

#include "common/status.h"

namespace fleetmark {

// Settings that libraries read once, when the program is loaded.
struct StartSettings {
  std::string allocator;  // "stock" or "retain"
  std::string pinning;    // "none", "close" or "spread"
  int threads = 0;        // 0: one a physical core
};

// What serves malloc in this process, as it really is: "retain", "stock", "custom" (other settings of glibc's), or the
// library that took its place ("libtcmalloc.so.4").
std::string AllocatorInForce();

// How OpenMP binds its threads in this process: "none", "close", "spread", or "custom", which is any way that the agent
// does not take: without a number of threads too, since a bound program cannot count the cores that it may use.
std::string PinningInForce();

// The number of threads that whoever pinned them chose; 0 where they are not pinned. Once pinned, a program cannot
// count the cores that it may use.
int ThreadsOfPinning();

// Gives the calling thread every core that the process which started this one may use. A thread that is not OpenMP's
// own inherits the one core of the thread that made it, where those are pinned.
void LeavePinning();

// Makes `wanted` true. Where it is not in force yet the program executes itself anew with the same arguments, and with
// `standard_input` to read where that was consumed; then this does not return. It fails instead of trying twice.
Status EnsureStartEnvironment(const StartSettings& wanted, const std::optional<std::string>& standard_input);

}  // namespace fleetmark
