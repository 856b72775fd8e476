#include "agent/worker/allocation_counter.h"

#include <c10/core/Allocator.h>
#include <c10/util/Flags.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <atomic>

C10_DECLARE_int(caffe2_log_level);

namespace fleetmark {

// LibTorch's allocators tell the profiler of the thread, if it has one, what they hand out.
class AllocationCounter::Reporter : public c10::MemoryReportingInfoBase {
 public:
  // The totals are unsigned from LibTorch 2 on: one of these two overrides, whichever it has.
  void reportMemoryUsage(void* /*pointer*/, int64_t size, size_t /*allocated*/, size_t /*reserved*/,
                         c10::Device /*device*/) {
    Add(size);
  }
  void reportMemoryUsage(void* /*pointer*/, int64_t size, int64_t /*allocated*/, int64_t /*reserved*/,
                         c10::Device /*device*/) {
    Add(size);
  }
  bool memoryProfilingEnabled() const override { return true; }

  std::atomic<int64_t> count = 0, bytes = 0;

 private:
  void Add(int64_t size) {
    if (size <= 0) return;  // freed
    ++count;
    bytes += size;
  }
};

class AllocationCounter::Guard {
 public:
  explicit Guard(std::shared_ptr<Reporter> reporter)
      : log_level_(FLAGS_caffe2_log_level), guard_(c10::DebugInfoKind::PROFILER_STATE, std::move(reporter)) {
    // The CPU's allocator warns of blocks that are freed now and were had before, of which it cannot know the size.
    FLAGS_caffe2_log_level = kErrorsOnly;
  }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  ~Guard() { FLAGS_caffe2_log_level = log_level_; }

 private:
  static constexpr int kErrorsOnly = 2;
  const int log_level_;
  c10::DebugInfoGuard guard_;
};

AllocationCounter::AllocationCounter()
    : reporter_(std::make_shared<Reporter>()), guard_(std::make_unique<Guard>(reporter_)) {}
AllocationCounter::~AllocationCounter() = default;

int64_t AllocationCounter::count() const { return reporter_->count; }
int64_t AllocationCounter::bytes() const { return reporter_->bytes; }

}  // namespace fleetmark
