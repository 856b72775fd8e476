#pragma once

#include <string>

#include "common/status.h"

namespace fleetmark {

// A shared library that is looked for when it is needed, so that nothing is linked against a driver. It stays loaded
// for the life of the process: drivers' libraries leave threads and exit handlers behind that must not lose their code,
// and LeakSanitizer names no function of a library that is gone. To open one again costs nothing.
class DynamicLibrary {
 public:
  // `name` is looked up as dlopen(3) does. NOT_FOUND where there is no such file, PERMISSION_DENIED where it may not be
  // read, FAILED_PRECONDITION where it does not load, each with the loader's own words.
  static StatusOr<DynamicLibrary> Open(const std::string& name);

  // Sets `*function` to the one called `symbol`, or to null where the library has none. Its type is the caller's word.
  template <typename Function>
  void Find(const char* symbol, Function** function) const {
    *function = reinterpret_cast<Function*>(Symbol(symbol));
  }

 private:
  explicit DynamicLibrary(void* handle) : handle_(handle) {}
  void* Symbol(const char* symbol) const;

  void* handle_;
};

}  // namespace fleetmark
