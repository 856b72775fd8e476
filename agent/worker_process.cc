#include "agent/worker_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "common/failpoint.h"
#include "common/worker_protocol.h"

namespace fleetmark::agent {
namespace {

constexpr size_t kMaxInputBytes = 60'000;  // fits a pipe, so that writing it never waits for the worker
constexpr char kOomScore[] = "800";        // of 1000: this process before the agent and before what people run

// Closes what it still holds.
class Pipe {
 public:
  ~Pipe() {
    for (const int descriptor : ends_) {
      if (descriptor >= 0) close(descriptor);
    }
  }
  bool Open() { return pipe2(ends_.data(), O_CLOEXEC) == 0; }
  int read_end() const { return ends_[0]; }
  int write_end() const { return ends_[1]; }
  int TakeReadEnd() { return std::exchange(ends_[0], -1); }
  int TakeWriteEnd() { return std::exchange(ends_[1], -1); }

 private:
  std::array<int, 2> ends_ = {-1, -1};
};

// Everything the child needs, made before the fork: the child may only make system calls.
struct ChildPlan {
  const char* program;
  const char* directory;
  char** arguments;
  char** environment;
  int parent_pid;
  int input;
  int output;
  int gate;
  int exec_status;
  std::array<int, 16> kept;  // sorted: not closed
  size_t kept_count;
  std::array<int, 16> inherited;  // of those, kept over the exec
  size_t inherited_count;
};

[[noreturn]] void FailExec(int exec_status) {
  const int error = errno;
  (void)!write(exec_status, &error, sizeof(error));
  _exit(127);
}

void CloseAllBut(const std::array<int, 16>& kept, size_t count) {
  unsigned first = 3;
  for (size_t i = 0; i < count; ++i) {
    const auto descriptor = static_cast<unsigned>(kept[i]);
    if (descriptor > first) close_range(first, descriptor - 1, 0);
    if (descriptor >= first) first = descriptor + 1;
  }
  close_range(first, ~0U, 0);
}

void ResetSignals() {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (const int signal : {SIGPIPE, SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaction(signal, &standard, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void RunChild(const ChildPlan& plan) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != plan.parent_pid) _exit(127);  // it died before the line above
  dup2(plan.input, STDIN_FILENO);
  dup2(plan.output, STDOUT_FILENO);
  dup2(plan.output, STDERR_FILENO);
  CloseAllBut(plan.kept, plan.kept_count);
  ResetSignals();
  FailPoint("worker.behind_gate");
  char byte = 0;
  ssize_t got = 0;
  do {
    got = read(plan.gate, &byte, 1);
  } while (got < 0 && errno == EINTR);
  if (got != 1) _exit(127);
  for (size_t i = 0; i < plan.inherited_count; ++i) fcntl(plan.inherited[i], F_SETFD, 0);
  const rlimit no_core{0, 0};  // of a process with gigabytes of tensors
  setrlimit(RLIMIT_CORE, &no_core);
  if (const int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC); score >= 0) {
    (void)!write(score, kOomScore, sizeof(kOomScore) - 1);
    close(score);
  }
  if (chdir(plan.directory) != 0) FailExec(plan.exec_status);
  FailPoint("worker.before_exec");
  execve(plan.program, plan.arguments, plan.environment);
  FailExec(plan.exec_status);
}

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

Status SpawnError(const std::string& what) {
  return Status(StatusCode::kResourceExhausted, "cannot start a worker: " + what + ": " + std::strerror(errno),
                "see `ulimit -a` for the limits of this user", "spawn_failed");
}

void SetNonBlocking(int descriptor) { fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK); }

}  // namespace

StatusOr<std::unique_ptr<WorkerProcess>> WorkerProcess::Fork(const WorkerCommand& command) {
  if (command.input.size() > kMaxInputBytes) return Internal("the run's specification is too long for a worker");
  Pipe input, output, events, gate, exec_status;
  for (Pipe* pipe : {&input, &output, &events, &gate, &exec_status}) {
    if (!pipe->Open()) return SpawnError("pipe");
  }
  if (write(input.write_end(), command.input.data(), command.input.size()) < 0) return SpawnError("write");
  std::vector<std::string> words = {command.program.string()};
  words.insert(words.end(), command.arguments.begin(), command.arguments.end());
  std::vector<std::string> variables = command.environment;
  variables.push_back(std::string(kEventFdVariable) + "=" + std::to_string(events.write_end()));
  std::vector<char*> arguments = Pointers(words);
  std::vector<char*> environment = Pointers(variables);

  ChildPlan plan{};
  plan.program = command.program.c_str();
  plan.directory = command.directory.c_str();
  plan.arguments = arguments.data();
  plan.environment = environment.data();
  plan.parent_pid = getpid();
  plan.input = input.read_end();
  plan.output = output.write_end();
  plan.gate = gate.read_end();
  plan.exec_status = exec_status.write_end();
  std::vector<int> inherited = command.inherited;
  inherited.push_back(events.write_end());
  std::vector<int> kept = inherited;
  kept.push_back(plan.gate);
  kept.push_back(plan.exec_status);
  std::sort(kept.begin(), kept.end());
  if (kept.size() > plan.kept.size()) return Internal("too many descriptors to hand to a worker");
  std::copy(kept.begin(), kept.end(), plan.kept.begin());
  plan.kept_count = kept.size();
  std::copy(inherited.begin(), inherited.end(), plan.inherited.begin());
  plan.inherited_count = inherited.size();

  // _Fork runs no handlers that other libraries (gRPC's) have registered for a fork: this child only waits and
  // executes.
  const int pid = _Fork();
  if (pid < 0) return SpawnError("fork");
  if (pid == 0) RunChild(plan);
  std::unique_ptr<WorkerProcess> worker(new WorkerProcess());
  setpgid(pid, pid);  // in both, so that it holds for whoever comes first
  worker->pid_ = pid;
  worker->pidfd_ = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));  // Debian's glibc declares its wrapper for C only
  worker->events_ = events.TakeReadEnd();
  worker->output_ = output.TakeReadEnd();
  worker->gate_ = gate.TakeWriteEnd();
  worker->exec_status_ = exec_status.TakeReadEnd();
  SetNonBlocking(worker->events_);
  SetNonBlocking(worker->output_);
  if (worker->pidfd_ < 0) return SpawnError("pidfd_open");
  return worker;
}

WorkerProcess::~WorkerProcess() {
  if (pid_ > 0 && !is_reaped_) {
    Signal(SIGKILL);
    Reap();
  }
  for (const int descriptor : {pidfd_, events_, output_, gate_, exec_status_}) {
    if (descriptor >= 0) close(descriptor);
  }
}

void WorkerProcess::OpenGate() {
  const std::lock_guard lock(mutex_);
  if (gate_ < 0) return;
  (void)!write(gate_, "g", 1);
  close(std::exchange(gate_, -1));
}

void WorkerProcess::Signal(int signal) {
  const std::lock_guard lock(mutex_);
  if (is_reaped_) return;
  was_signalled_ = true;
  kill(-pid_, signal);
}

bool WorkerProcess::was_signalled() const {
  const std::lock_guard lock(mutex_);
  return was_signalled_;
}

WorkerProcess::Exit WorkerProcess::Reap() {
  siginfo_t info{};
  while (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
  }
  Exit exit;
  const std::lock_guard lock(mutex_);
  kill(-pid_, SIGKILL);
  while (wait4(pid_, &exit.wait_status, 0, &exit.usage) < 0 && errno == EINTR) {
  }
  is_reaped_ = true;
  // Closed by a successful exec, and by the end of a worker that never got past its gate.
  if (read(exec_status_, &exit.exec_errno, sizeof(exit.exec_errno)) != sizeof(exit.exec_errno)) exit.exec_errno = 0;
  return exit;
}

}  // namespace fleetmark::agent
