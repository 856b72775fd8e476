#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mutex>
#include <string>
#include <vector>

#include "tests/unit/cli/fake_coordinator.h"
#include "tests/unit/cli/sample_runs.h"

namespace fleetmark {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// The real program, its output in a pipe.
class Program {
 public:
  explicit Program(std::vector<std::string> arguments) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) std::abort();
    output_ = ends[0];
    arguments.insert(arguments.begin(), FLEETMARK_PROGRAM);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(ends[1], STDOUT_FILENO);
      dup2(ends[1], STDERR_FILENO);
      execv(argv[0], argv.data());
      _exit(127);
    }
    close(ends[1]);
  }
  ~Program() { close(output_); }

  void Interrupt() const { kill(pid_, SIGINT); }

  // The exit code; `output` gets stdout and stderr.
  int Wait(std::string* output) const {
    char buffer[4096];
    for (ssize_t n; (n = read(output_, buffer, sizeof(buffer))) > 0;) output->append(buffer, static_cast<size_t>(n));
    int status = 0;
    waitpid(pid_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  pid_t pid_;
  int output_;
};

TEST(ProcessTest, CtrlCWhileWaitingSaysThatTheJobGoesOn) {
  FakeCoordinator coordinator;
  coordinator.updates.emplace_back();
  *coordinator.updates.back().mutable_run() = SampleRun("k3v8q2m0", "running");
  coordinator.watch_end = FakeCoordinator::WatchEnd::kHang;
  const Program* program = nullptr;
  std::mutex made;
  coordinator.on_watch = [&] {
    const std::lock_guard lock(made);
    program->Interrupt();
  };
  std::unique_lock lock(made);
  const Program waiting({"submit", "mnist_cnn", "--wait", "--coordinator", coordinator.address()});
  program = &waiting;
  lock.unlock();
  std::string output;
  EXPECT_EQ(waiting.Wait(&output), 130);
  EXPECT_THAT(output, AllOf(HasSubstr("interrupted; jjjjjjjjjjjjjjjjjjjj goes on"),
                            HasSubstr("fleetmark cancel jjjjjjjjjjjjjjjjjjjj")));
}

TEST(ProcessTest, NoCoordinatorIsExitCode3) {
  std::string output;
  EXPECT_EQ(Program({"agents", "--coordinator", "127.0.0.1:1"}).Wait(&output), 3);
  EXPECT_THAT(output, HasSubstr("cannot reach the coordinator at 127.0.0.1:1"));
}

TEST(ProcessTest, AFullDiskIsNotSilent) {
  const std::string command = std::string(FLEETMARK_PROGRAM) + " --help > /dev/full 2> /dev/null";
  EXPECT_NE(WEXITSTATUS(system(command.c_str())), 0);
}

}  // namespace
}  // namespace fleetmark
