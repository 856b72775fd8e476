#include "agent/worker/torch_failure.h"

#include <algorithm>
#include <exception>
#include <initializer_list>
#include <new>
#include <string>

#include "agent/worker/failure.h"
#include "agent/worker/torch_headers.h"

namespace fleetmark {
namespace {

constexpr char kMemoryHint[] = "take a smaller problem (batch, n), or free memory on the device";

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

bool HasAny(const std::string& text, std::initializer_list<const char*> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](const char* word) { return text.find(word) != std::string::npos; });
}

// LibTorch's CPU allocator throws a plain c10::Error, which only its words tell apart.
bool SaysOutOfMemory(const std::string& text) {
  return HasAny(text, {"can't allocate memory", "out of memory", "not enough memory", "_ALLOC_FAILED"});
}

// A GPU that is lost, hangs or has broken memory, as CUDA's runtime words it.
bool SaysDeviceFailed(const std::string& text) {
  return HasAny(text, {"unspecified launch failure", "launch timed out", "illegal memory access", "ECC error",
                       "busy or unavailable", "device is lost", "fallen off the bus", "hardware stack error"});
}

// An operation that has no kernel for a number format or a processor.
bool SaysUnsupported(const std::string& text) {
  return HasAny(text, {"not implemented for", "no kernel image", "_NOT_SUPPORTED"});
}

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
