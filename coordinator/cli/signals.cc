#include "coordinator/cli/signals.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

namespace fleetmark {

Signals::Signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGWINCH}) sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal_fd_ = signalfd(-1, &set, SFD_CLOEXEC);
  stop_fd_ = eventfd(0, EFD_CLOEXEC);
  thread_ = std::thread([this] { Loop(); });
}

Signals::~Signals() {
  const uint64_t one = 1;
  if (write(stop_fd_, &one, sizeof(one)) == sizeof(one)) thread_.join();
  close(signal_fd_);
  close(stop_fd_);
}

void Signals::SetHandlers(std::function<void()> on_interrupt, std::function<void()> on_resize) {
  const std::lock_guard lock(mutex_);
  on_interrupt_ = std::move(on_interrupt);
  on_resize_ = std::move(on_resize);
}

void Signals::ClearHandlers() { SetHandlers(nullptr, nullptr); }

void Signals::Loop() {
  pollfd events[] = {{signal_fd_, POLLIN, 0}, {stop_fd_, POLLIN, 0}};
  while (true) {
    if (poll(events, 2, -1) < 0) continue;
    if (events[1].revents != 0) return;
    signalfd_siginfo info{};
    if (read(signal_fd_, &info, sizeof(info)) == sizeof(info)) Handle(static_cast<int>(info.ssi_signo));
  }
}

void Signals::Handle(int signal) {
  const std::lock_guard lock(mutex_);
  if (signal == SIGWINCH) {
    if (on_resize_) on_resize_();
    return;
  }
  if (on_interrupt_) {
    std::exchange(on_interrupt_, nullptr)();
    return;
  }
  // As the shell reports a process that the signal ended. Nothing is left to clean up.
  _exit(128 + signal);
}

}  // namespace fleetmark
