#include "agent/worker/torch_failure.h"

#include <exception>
#include <new>
#include <string>

#include "agent/worker/failure.h"
#include "agent/worker/torch_headers.h"

namespace fleetmark {
namespace {

constexpr char kMemoryHint[] = "take a smaller problem (batch, n), or free memory on the device";

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

// LibTorch's CPU allocator throws a plain c10::Error, which only its words tell apart.
bool SaysOutOfMemory(const std::string& text) {
  for (const char* words : {"can't allocate memory", "out of memory", "not enough memory"}) {
    if (text.find(words) != std::string::npos) return true;
  }
  return false;
}

// A GPU that is lost, hangs or stops with an error; its memory was looked at before.
bool SaysDeviceFailed(const std::string& text) {
  for (const char* words : {"CUDA error", "cuDNN error", "CUDA driver error"}) {
    if (text.find(words) != std::string::npos) return true;
  }
  return false;
}

// An operation that has no kernel for a number format.
bool SaysUnsupported(const std::string& text) { return text.find("not implemented for") != std::string::npos; }

}  // namespace

Status CurrentExceptionAsFailure() {
  try {
    throw;
  } catch (const RunFailure& failure) {
    return failure.status();
  } catch (const std::bad_alloc&) {
    return OutOfMemory("the worker ran out of memory", kMemoryHint);
  } catch (const c10::Error& error) {
    const std::string text = FirstLine(error.what_without_backtrace());
    if (SaysOutOfMemory(text)) return OutOfMemory("LibTorch ran out of memory: " + text, kMemoryHint);
    if (SaysDeviceFailed(text)) {
      return DeviceUnavailable("the device failed: " + text, "see `dmesg` and `nvidia-smi` on that machine");
    }
    if (SaysUnsupported(text))
      return Unsupported("this LibTorch cannot do that: " + text, "take another dtype or device");
    return Internal("LibTorch failed: " + text, "", "internal");
  } catch (const std::exception& error) {
    const std::string text = FirstLine(error.what());
    if (SaysOutOfMemory(text)) return OutOfMemory("LibTorch ran out of memory: " + text, kMemoryHint);
    return Internal("the worker failed: " + text, "", "internal");
  }
}

}  // namespace fleetmark
