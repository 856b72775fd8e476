#pragma once

#include <atomic>

#include "coordinator/cli/signals.h"

namespace fleetmark {

// Set by Ctrl-C, once Arm() was called, instead of ending the program; for work that has something to take back.
class InterruptFlag {
 public:
  explicit InterruptFlag(Signals* signals) : signals_(signals) {}
  ~InterruptFlag() {
    if (signals_ != nullptr) signals_->ClearHandlers();
  }
  InterruptFlag(const InterruptFlag&) = delete;
  InterruptFlag& operator=(const InterruptFlag&) = delete;

  void Arm() {
    if (signals_ != nullptr) signals_->SetHandlers([this] { is_set_ = true; }, nullptr);
  }
  const std::atomic<bool>& is_set() const { return is_set_; }

 private:
  Signals* const signals_;
  std::atomic<bool> is_set_ = false;
};

}  // namespace fleetmark
