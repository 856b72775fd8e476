// fleetmark-fuzz TARGET [libFuzzer's options] [DIRECTORY|FILE...]: one target under libFuzzer. With files it runs those
// alone, which is how a finding is seen again.
#include <spdlog/spdlog.h>

#include <cstdint>
#include <vector>

#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerRunDriver(int* argc, char*** argv, int (*callback)(const uint8_t* data, size_t size));

namespace {

fleetmark::fuzz::Target target;

int RunOne(const uint8_t* data, size_t size) {
  target({reinterpret_cast<const char*>(data), size});
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  spdlog::set_level(spdlog::level::off);
  target = fleetmark::fuzz::FindTarget(argc > 1 ? argv[1] : "");
  std::vector<char*> arguments(argv, argv + argc);
  arguments.erase(arguments.begin() + 1);
  arguments.push_back(nullptr);
  int count = argc - 1;
  char** rest = arguments.data();
  return LLVMFuzzerRunDriver(&count, &rest, RunOne);
}
