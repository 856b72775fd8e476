#include "agent/worker/start_environment.h"

#include <dlfcn.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <vector>

#include "agent/worker/failure.h"
#include "common/host_info.h"
#include "common/worker_protocol.h"

namespace fleetmark {
namespace {

// Set for the program that is executed anew, so that a machine where the setting does not take is an error and no loop.
constexpr char kExecutedVariable[] = "FLEETMARK_WORKER_EXECUTED";

// Settings in the environment that are none of ours.
constexpr char kCustom[] = "custom";

std::string_view VariableOr(const char* name, const char* otherwise) {
  const char* const value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

std::vector<std::string> OwnArguments() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> arguments;
  for (std::string argument; std::getline(file, argument, '\0');) arguments.push_back(argument);
  return arguments;
}

Status SystemFailure(const std::string& what) {
  return Internal(
      "the worker cannot execute itself anew to change its allocator or pinning: " + what + ": " + std::strerror(errno),
      "start it with " + std::string(kGlibcTunablesVariable) + " and " + kBindVariable + " as it shall have them",
      "internal");
}

// Puts `text` where the program that follows reads its standard input.
Status ReplaceStandardInput(const std::string& text) {
  const int file = memfd_create("run_spec", 0);
  if (file < 0 || write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      lseek(file, 0, SEEK_SET) != 0 || dup2(file, STDIN_FILENO) < 0) {
    return SystemFailure("memfd");
  }
  return OkStatus();
}

// Whether what is in force is one of the settings that this program may replace.
Status CheckOurs(const std::string& allocator, const std::string& pinning, const StartSettings& wanted) {
  if (allocator == kCustom) {
    return Unsupported(
        "allocator=" + wanted.allocator + " cannot be had: the environment has settings of malloc of its own",
        "unset " + std::string(kGlibcTunablesVariable) + " and MALLOC_*");
  }
  if (allocator != wanted.allocator && allocator != "stock" && allocator != "retain") {
    return Unsupported(
        "allocator=" + wanted.allocator + " cannot be had: " + allocator + " serves malloc in this process",
        "start the worker without LD_PRELOAD");
  }
  if (pinning == kCustom) {
    return Unsupported(
        "pinning=" + wanted.pinning + " cannot be had: the environment has a binding of threads of its own",
        "unset " + std::string(kBindVariable) + ", " + kPlacesVariable + ", GOMP_CPU_AFFINITY and KMP_AFFINITY");
  }
  return OkStatus();
}

void SetVariables(const StartSettings& wanted) {
  if (wanted.allocator == "retain") {
    setenv(kGlibcTunablesVariable, kRetainTunables, 1);
  } else {
    unsetenv(kGlibcTunablesVariable);
  }
  if (wanted.pinning == kNoPinning) {
    if (PinningInForce() != kNoPinning) unsetenv(kThreadsVariable);  // it was said with the pinning
    LeavePinning();                                                  // the next program would inherit the one core
    for (const char* const variable : {kBindVariable, kPlacesVariable}) unsetenv(variable);
  } else {
    int threads = wanted.threads > 0 ? wanted.threads : ThreadsOfPinning();
    if (threads == 0) threads = ReadHostInfo().physical_cores;
    setenv(kThreadsVariable, std::to_string(threads).c_str(), 1);
    setenv(kBindVariable, wanted.pinning.c_str(), 1);
    setenv(kPlacesVariable, kPlaces, 1);
  }
  setenv(kExecutedVariable, "1", 1);
}

}  // namespace

std::string AllocatorInForce() {
  Dl_info where{};
  void* function = dlsym(RTLD_DEFAULT, "malloc");
  if (function != nullptr && dladdr(function, &where) != 0 && where.dli_fname != nullptr) {
    const std::string library = std::filesystem::path(where.dli_fname).filename();
    if (!library.starts_with("libc.") && !library.starts_with("libc-")) return library;
  }
  for (const char* const* variable = environ; *variable != nullptr; ++variable) {
    if (std::string_view(*variable).starts_with("MALLOC_")) return kCustom;
  }
  const std::string_view tunables = VariableOr(kGlibcTunablesVariable, "");
  if (tunables == kRetainTunables) return "retain";
  return tunables.find("glibc.malloc.") == std::string_view::npos ? "stock" : kCustom;
}

std::string PinningInForce() {
  const std::string bind(VariableOr(kBindVariable, "false"));
  for (const char* const name : {"GOMP_CPU_AFFINITY", "KMP_AFFINITY"}) {
    if (std::getenv(name) != nullptr) return kCustom;
  }
  const std::string_view places = VariableOr(kPlacesVariable, "");
  if (bind == "false") return places.empty() || std::getenv(kBindVariable) != nullptr ? kNoPinning : kCustom;
  const bool is_ours =
      (bind == "close" || bind == "spread") && places == kPlaces && std::getenv(kThreadsVariable) != nullptr;
  return is_ours ? bind : kCustom;
}

int ThreadsOfPinning() {
  return PinningInForce() == kNoPinning ? 0 : std::atoi(std::string(VariableOr(kThreadsVariable, "0")).c_str());
}

void LeavePinning() {
  cpu_set_t cores;
  if (PinningInForce() == kNoPinning || sched_getaffinity(getppid(), sizeof(cores), &cores) != 0) return;
  sched_setaffinity(0, sizeof(cores), &cores);  // at worst it stays where it is
}

Status EnsureStartEnvironment(const StartSettings& wanted, const std::optional<std::string>& standard_input) {
  const std::string allocator = AllocatorInForce(), pinning = PinningInForce();
  if (allocator == wanted.allocator && pinning == wanted.pinning) return OkStatus();
  FLEETMARK_RETURN_IF_ERROR(CheckOurs(allocator, pinning, wanted));
  if (std::getenv(kExecutedVariable) != nullptr) return SystemFailure("the setting had no effect");
  SetVariables(wanted);
  if (standard_input) FLEETMARK_RETURN_IF_ERROR(ReplaceStandardInput(*standard_input));
  std::vector<std::string> arguments = OwnArguments();
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  execv("/proc/self/exe", argv.data());
  return SystemFailure("execv");
}

}  // namespace fleetmark
