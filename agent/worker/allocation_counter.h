#pragma once

#include <cstdint>
#include <memory>

namespace fleetmark {

// Counts the memory that tensors get on any device while it lives, from this thread and the backward passes that it
// starts. Costs a virtual call an allocation: not for what is timed.
class AllocationCounter {
 public:
  AllocationCounter();
  ~AllocationCounter();

  int64_t count() const;
  int64_t bytes() const;

 private:
  class Reporter;
  class Guard;
  std::shared_ptr<Reporter> reporter_;
  std::unique_ptr<Guard> guard_;
};

}  // namespace fleetmark
