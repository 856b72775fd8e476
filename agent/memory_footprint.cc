#include "agent/memory_footprint.h"

#include <malloc.h>
#include <sys/mman.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>

namespace fleetmark::agent {

void ReleaseStartupMemory() {
  malloc_trim(0);
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    uintptr_t begin = 0;
    uintptr_t end = 0;
    char permissions[5] = {};
    // Code of files only: it is never written, so that its pages can be dropped. Read-only data may hold relocations.
    const bool is_code = std::sscanf(line.c_str(), "%lx-%lx %4s", &begin, &end, permissions) == 3 &&
                         std::string(permissions) == "r-xp" && line.find(" /") != std::string::npos;
    if (!is_code) continue;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel says where its mappings are in text
    madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
}

}  // namespace fleetmark::agent
