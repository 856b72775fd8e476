#include "agent/subprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

namespace fleetmark::agent {
namespace {

constexpr size_t kErrorTailBytes = 2000;

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

StatusOr<int> Spawn(const SubprocessRequest& request, int output, int errors) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
  if (!request.directory.empty()) posix_spawn_file_actions_addchdir_np(&actions, request.directory.c_str());
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, piped;
  sigemptyset(&none);
  sigemptyset(&piped);
  sigaddset(&piped, SIGPIPE);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &piped);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<char*> words = Pointers(request.words);
  std::vector<char*> variables = Pointers(request.environment);
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, words[0], &actions, &attributes, words.data(),
                                 request.environment.empty() ? environ : variables.data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error == 0) return static_cast<int>(pid);
  return NotFound("cannot run " + request.words[0] + ": " + std::strerror(error), "", "spawn_failed");
}

// Reads both pipes until they end; the reason when that is not to be waited for.
Status ReadAll(const SubprocessRequest& request, int output, int errors, SubprocessResult* result) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(request.timeout_s);
  std::array<pollfd, 2> waits = {{{output, POLLIN, 0}, {errors, POLLIN, 0}}};
  std::array<char, 16384> buffer{};
  while (waits[0].fd >= 0 || waits[1].fd >= 0) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0 || poll(waits.data(), waits.size(), static_cast<int>(left.count()) + 1) == 0) {
      return Status(StatusCode::kDeadlineExceeded, request.words[0] + " did not end within " +
                                                       std::to_string(static_cast<int>(request.timeout_s)) + " s");
    }
    for (pollfd& wait : waits) {
      if (wait.fd < 0 || wait.revents == 0) continue;
      const ssize_t size = read(wait.fd, buffer.data(), buffer.size());
      if (size <= 0) {
        wait.fd = -1;
        continue;
      }
      std::string& text = &wait == &waits[0] ? result->output : result->error_tail;
      text.append(buffer.data(), static_cast<size_t>(size));
      if (&wait == &waits[1] && text.size() > kErrorTailBytes) text.erase(0, text.size() - kErrorTailBytes);
    }
    if (result->output.size() > request.max_output_bytes) {
      return ResourceExhausted(request.words[0] + " writes more than " + std::to_string(request.max_output_bytes) +
                               " bytes");
    }
  }
  return OkStatus();
}

}  // namespace

StatusOr<SubprocessResult> RunSubprocess(const SubprocessRequest& request) {
  std::array<int, 2> output{}, errors{};
  if (pipe2(output.data(), O_CLOEXEC) != 0) return Internal(std::string("pipe: ") + std::strerror(errno));
  if (pipe2(errors.data(), O_CLOEXEC) != 0) {
    close(output[0]);
    close(output[1]);
    return Internal(std::string("pipe: ") + std::strerror(errno));
  }
  const auto pid = Spawn(request, output[1], errors[1]);
  close(output[1]);
  close(errors[1]);
  SubprocessResult result;
  Status status = pid.status();
  if (pid.ok()) {
    status = ReadAll(request, output[0], errors[0], &result);
    if (!status.ok()) kill(-*pid, SIGKILL);
    int wait_status = 0;
    while (waitpid(*pid, &wait_status, 0) < 0 && errno == EINTR) {
    }
    result.exit_code = WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
  }
  close(output[0]);
  close(errors[0]);
  if (!status.ok()) return status;
  return result;
}

}  // namespace fleetmark::agent
