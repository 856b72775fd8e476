#pragma once

#include <functional>
#include <mutex>
#include <thread>

namespace fleetmark {

// Takes SIGINT, SIGTERM and SIGWINCH on a thread of its own, where anything may be called, unlike in a signal handler.
// Make it before any other thread exists, because threads inherit the mask.
//
// Without handlers SIGINT and SIGTERM end the process as they would have. With them the first SIGINT or SIGTERM calls
// `on_interrupt`; a second ends the process at once. Thread-safe.
class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  void SetHandlers(std::function<void()> on_interrupt, std::function<void()> on_resize);
  // Returns once no handler is running.
  void ClearHandlers();

 private:
  void Loop();
  void Handle(int signal);

  std::mutex mutex_;  // held while a handler runs
  std::function<void()> on_interrupt_;
  std::function<void()> on_resize_;
  int signal_fd_ = -1;
  int stop_fd_ = -1;
  std::thread thread_;
};

}  // namespace fleetmark
