// fuzz_replay TARGET DIRECTORY MUTATIONS: runs a target on every file of DIRECTORY, and on MUTATIONS changed copies of
// each, the same ones each time. What libFuzzer has found stays found where there is no libFuzzer.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

#include "tests/fuzz/fuzz_target.h"

namespace {

using Random = std::mt19937;  // the standard fixes what it gives

size_t Below(Random* random, size_t bound) { return bound == 0 ? 0 : (*random)() % bound; }

std::vector<std::string> ReadAll(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> inputs;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return inputs;
}

// One change: a byte, a piece taken out, a piece repeated, or a piece of another input.
void Change(const std::vector<std::string>& inputs, Random* random, std::string* text) {
  const size_t from = Below(random, text->size() + 1), length = Below(random, text->size() - from + 1);
  switch (Below(random, 4)) {
    case 0:
      if (from < text->size()) (*text)[from] = static_cast<char>(Below(random, 256));
      break;
    case 1:
      text->erase(from, length);
      break;
    case 2:
      text->insert(from, text->substr(from, length));
      break;
    default: {
      const std::string& other = inputs[Below(random, inputs.size())];
      const size_t start = Below(random, other.size() + 1);
      text->insert(from, other.substr(start, Below(random, other.size() - start + 1)));
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: fuzz_replay TARGET DIRECTORY MUTATIONS\n");
    return 2;
  }
  spdlog::set_level(spdlog::level::off);
  const fleetmark::fuzz::Target target = fleetmark::fuzz::FindTarget(argv[1]);
  const std::vector<std::string> inputs = ReadAll(argv[2]);
  if (inputs.empty()) {
    std::fprintf(stderr, "%s holds no inputs\n", argv[2]);
    return 1;
  }
  constexpr size_t kMostChanges = 4, kLongest = 64 << 10;
  Random random(6);
  for (const std::string& input : inputs) {
    target(input);
    for (int i = 0; i < std::atoi(argv[3]); ++i) {
      std::string changed = input;
      for (size_t changes = 1 + Below(&random, kMostChanges); changes > 0; --changes) {
        Change(inputs, &random, &changed);
      }
      changed.resize(std::min(changed.size(), kLongest));
      target(changed);
    }
  }
  return 0;
}
