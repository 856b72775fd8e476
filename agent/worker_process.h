#pragma once

#include <sys/resource.h>

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/status.h"

namespace fleetmark::agent {

struct WorkerCommand {
  std::filesystem::path program;
  std::vector<std::string> arguments;    // without the program's name
  std::vector<std::string> environment;  // all of it, as NAME=VALUE
  std::string input;                     // read by the worker on stdin; under 60 KB
  std::filesystem::path directory;       // its working directory
  std::vector<int> inherited;            // descriptors it keeps open: its locks
};

// A worker in its own process group, held behind a gate: the child waits on a pipe before it executes the program, and
// exits when that pipe closes, so that no crash of this process leaves a worker that was not recorded. It is killed
// when the thread that forked it ends; raises its own chance to be the one that the kernel kills when memory runs out;
// and has no other descriptors of this process. stdout and stderr share one pipe; events have their own. Signal is
// thread-safe; the rest is for the one thread that supervises it.
class WorkerProcess {
 public:
  // Call it from a thread that lives as long as the worker may.
  static StatusOr<std::unique_ptr<WorkerProcess>> Fork(const WorkerCommand& command);
  // Kills and reaps what is not reaped yet.
  ~WorkerProcess();

  int pid() const { return pid_; }
  void OpenGate();
  // To its whole group; does nothing once it was reaped. Remembers that it was asked to end.
  void Signal(int signal);
  bool was_signalled() const;

  // To poll: what it writes (non-blocking), and readable once it ended.
  int event_descriptor() const { return events_; }
  int output_descriptor() const { return output_; }
  int end_descriptor() const { return pidfd_; }

  struct Exit {
    int wait_status = 0;
    rusage usage{};
    int exec_errno = 0;  // not 0: the program could not be executed
  };
  // Waits for its end; kills what is left of its group before the group can be forgotten.
  Exit Reap();

 private:
  WorkerProcess() = default;

  int pid_ = -1;
  int pidfd_ = -1;
  int events_ = -1;
  int output_ = -1;
  int gate_ = -1;
  int exec_status_ = -1;
  mutable std::mutex mutex_;
  bool is_reaped_ = false;
  bool was_signalled_ = false;
};

}  // namespace fleetmark::agent
