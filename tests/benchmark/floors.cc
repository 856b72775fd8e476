// floors spawn N PROGRAM...   milliseconds to fork, exec and reap PROGRAM, one a line
// floors fsync N DIRECTORY    milliseconds to append 4 KiB to a file in DIRECTORY and fdatasync it, one a line
// What the kernel and the disk take of every run, whoever asks for it.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>

namespace {

void Require(bool condition, const char* what) {
  if (condition) return;
  std::perror(what);
  std::exit(1);
}

void Time(int count, const std::function<void()>& body) {
  for (int i = 0; i < count; ++i) {
    const auto start = std::chrono::steady_clock::now();
    body();
    std::printf("%.4f\n", std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
}

void Spawn(char** command) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t pid = 0;
  Require(posix_spawn(&pid, command[0], &actions, nullptr, command, environ) == 0, "posix_spawn");
  posix_spawn_file_actions_destroy(&actions);
  Require(waitpid(pid, nullptr, 0) == pid, "waitpid");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fputs("usage: floors spawn N PROGRAM... | floors fsync N DIRECTORY\n", stderr);
    return 2;
  }
  const int count = std::atoi(argv[2]);
  if (std::string(argv[1]) == "spawn") {
    Time(count, [&] { Spawn(argv + 3); });
    return 0;
  }
  const std::string path = std::string(argv[3]) + "/fsync-floor";
  const int file = open(path.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  Require(file >= 0, path.c_str());
  static constexpr std::array<char, 4096> kBlock{};
  Time(count, [&] {
    Require(write(file, kBlock.data(), kBlock.size()) == static_cast<ssize_t>(kBlock.size()), "write");
    Require(fdatasync(file) == 0, "fdatasync");
  });
  unlink(path.c_str());
  return 0;
}
