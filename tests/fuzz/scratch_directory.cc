#include "tests/fuzz/scratch_directory.h"

#include <stdlib.h>

#include <fstream>
#include <string>

#include "tests/fuzz/fuzz_target.h"

namespace fleetmark::fuzz {

ScratchDirectory::ScratchDirectory() {
  const std::filesystem::path memory = "/dev/shm";
  std::error_code error;
  const bool has_memory = std::filesystem::is_directory(memory, error);
  std::string name = (has_memory ? memory : std::filesystem::temp_directory_path()) / "fleetmark-fuzz-XXXXXX";
  Require(mkdtemp(name.data()) != nullptr, "a scratch directory can be made");
  path_ = name;
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

std::filesystem::path ScratchDirectory::Write(std::string_view name, std::string_view contents) const {
  const std::filesystem::path path = path_ / name;
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(contents.data(), static_cast<std::streamsize>(contents.size()));
  Require(file.good(), "a scratch file can be written");
  return path;
}

void ScratchDirectory::RemoveContents() const {
  for (const auto& entry : std::filesystem::directory_iterator(path_)) std::filesystem::remove_all(entry.path());
}

}  // namespace fleetmark::fuzz
