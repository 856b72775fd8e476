#pragma once

#include <optional>
#include <string>

#include "common/status.h"

namespace fleetmark {

// What serves malloc in this process, as it really is: "retain", "stock", "custom" (other settings of glibc's), or the
// library that took its place
// ("libtcmalloc.so.4").
std::string AllocatorInForce();

// Makes `wanted` ("stock" or "retain") true. glibc reads its setting only at exec, so where another one is in force the
// program executes itself anew with the same arguments, and with `standard_input` to read where that was consumed;
// then this does not return. It fails instead of trying twice.
Status EnsureAllocator(const std::string& wanted, const std::optional<std::string>& standard_input);

}  // namespace fleetmark
