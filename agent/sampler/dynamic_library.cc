#include "agent/sampler/dynamic_library.h"

#include <dlfcn.h>

#include <cerrno>
#include <cstring>

namespace fleetmark {

StatusOr<DynamicLibrary> DynamicLibrary::Open(const std::string& name) {
  void* handle = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle != nullptr) return DynamicLibrary(handle);
  const char* words = dlerror();
  const std::string why = words != nullptr ? words : name + " does not load";
  // The loader ends its sentence with the system's words, and says no number.
  if (why.ends_with(std::strerror(ENOENT))) return NotFound(why);
  if (why.ends_with(std::strerror(EACCES))) return Status(StatusCode::kPermissionDenied, why);
  return FailedPrecondition(why);
}

void* DynamicLibrary::Symbol(const char* symbol) const { return dlsym(handle_, symbol); }

}  // namespace fleetmark
