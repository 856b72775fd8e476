#include "agent/worker/allocator.h"

#include <dlfcn.h>
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
#include "common/worker_protocol.h"

namespace fleetmark {
namespace {

// Set for the program that is executed anew, so that a machine where the setting does not take is an error and no loop.
constexpr char kExecutedVariable[] = "FLEETMARK_WORKER_EXECUTED";

std::vector<std::string> OwnArguments() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> arguments;
  for (std::string argument; std::getline(file, argument, '\0');) arguments.push_back(argument);
  return arguments;
}

Status SystemFailure(const std::string& what) {
  return Internal(
      "the worker cannot execute itself anew to change its allocator: " + what + ": " + std::strerror(errno),
      "start it with " + std::string(kGlibcTunablesVariable) + "=" + kRetainTunables, "internal");
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

}  // namespace

std::string AllocatorInForce() {
  Dl_info where{};
  void* function = dlsym(RTLD_DEFAULT, "malloc");
  if (function != nullptr && dladdr(function, &where) != 0 && where.dli_fname != nullptr) {
    const std::string library = std::filesystem::path(where.dli_fname).filename();
    if (!library.starts_with("libc.") && !library.starts_with("libc-")) return library;
  }
  const char* tunables = std::getenv(kGlibcTunablesVariable);
  return tunables != nullptr && std::string_view(tunables) == kRetainTunables ? "retain" : "stock";
}

Status EnsureAllocator(const std::string& wanted, const std::optional<std::string>& standard_input) {
  const std::string in_force = AllocatorInForce();
  if (in_force == wanted) return OkStatus();
  if (in_force != "stock" && in_force != "retain") {
    return Unsupported("allocator=" + wanted + " cannot be had: " + in_force + " serves malloc in this process",
                       "start the worker without LD_PRELOAD");
  }
  if (std::getenv(kExecutedVariable) != nullptr) return SystemFailure("the setting had no effect");
  if (wanted == "retain") {
    setenv(kGlibcTunablesVariable, kRetainTunables, 1);
  } else {
    unsetenv(kGlibcTunablesVariable);
  }
  setenv(kExecutedVariable, "1", 1);
  if (standard_input) FLEETMARK_RETURN_IF_ERROR(ReplaceStandardInput(*standard_input));
  std::vector<std::string> arguments = OwnArguments();
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  execv("/proc/self/exe", argv.data());
  return SystemFailure("execv");
}

}  // namespace fleetmark
