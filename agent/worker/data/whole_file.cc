#include "agent/worker/data/whole_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "agent/worker/failure.h"

namespace fleetmark {

StatusOr<std::string> ReadWholeFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes, piece(1 << 20, '\0');
  while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())) || file.gcount() > 0) {
    bytes.append(piece, 0, static_cast<size_t>(file.gcount()));
  }
  if (file.eof()) return bytes;
  return DataMissing("cannot read " + path.string() + ": " + std::strerror(errno));
}

}  // namespace fleetmark
