#pragma once

#include <array>
#include <cstddef>
#include <string_view>

// What the agent and a runner (fleetmark-worker or an external one) agree on beside the messages of run.proto. No
// dependency: the worker includes it without protobuf.
namespace fleetmark {

// Names the file descriptor that the JSON Lines of WorkerEvent go to; without it they go to stdout.
inline constexpr char kEventFdVariable[] = "FLEETMARK_EVENT_FD";

// Longest event line, its newline included. A longer one is a breach of the protocol.
inline constexpr size_t kEventLineLimit = size_t{1} << 20;

// A runner that fails deliberately sends one `error` event and exits with the code of its kind. 0 means that a `result`
// was sent; every other code, and every signal, is a crash.
struct FailureExit {
  std::string_view kind;
  int exit_code;
};
inline constexpr std::array<FailureExit, 8> kFailureExits = {{
    {"bad_parameter", 101},
    {"device_unavailable", 102},
    {"out_of_memory", 103},
    {"data_missing", 104},
    {"data_corrupt", 105},
    {"diverged", 106},
    {"internal", 107},
    {"unsupported", 108},
}};

// The code of a kind; that of "internal" for a word that is not in the table.
constexpr int ExitCodeOfFailure(std::string_view kind) {
  for (const FailureExit& entry : kFailureExits) {
    if (entry.kind == kind) return entry.exit_code;
  }
  return 107;
}

// The kind of a code; "" when it is not the code of a deliberate failure.
constexpr std::string_view FailureOfExitCode(int exit_code) {
  for (const FailureExit& entry : kFailureExits) {
    if (entry.exit_code == exit_code) return entry.kind;
  }
  return "";
}

// The `retain` allocator: glibc gives large blocks back to the kernel after each step and has them page-faulted in
// again, which halves training speed on CPUs. It reads these only at exec, so the agent sets the variable before it
// starts the worker, and a worker run by hand re-executes itself with it. Large pages (hugetlb=1: where the kernel has
// them to give) take a tenth off the time of what is bound by memory.
inline constexpr char kGlibcTunablesVariable[] = "GLIBC_TUNABLES";
inline constexpr char kRetainTunables[] =
    "glibc.malloc.mmap_threshold=17179869184:glibc.malloc.trim_threshold=17179869184:glibc.malloc.top_pad=268435456"
    ":glibc.malloc.hugetlb=1";

// Pinning: OpenMP binds its threads to cores when the program is loaded, so this too is set before it starts. It binds
// the first thread as well, after which the program cannot count the cores that it may use: whoever sets these says the
// number of threads.
inline constexpr char kThreadsVariable[] = "OMP_NUM_THREADS";
inline constexpr char kBindVariable[] = "OMP_PROC_BIND";  // "close" or "spread"; unset for none
inline constexpr char kPlacesVariable[] = "OMP_PLACES";
inline constexpr char kPlaces[] = "cores";
inline constexpr char kNoPinning[] = "none";

}  // namespace fleetmark
