#include "agent/worker/data/idx.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "agent/worker/data/whole_file.h"
#include "agent/worker/failure.h"
#include "common/sha256.h"
#ifdef FLEETMARK_HAVE_ZLIB
#include <zlib.h>
#endif

namespace fleetmark {
namespace {

constexpr char kHint[] = "fetch it anew: fleetmark-agent data add mnist";

Status Unreadable(const std::filesystem::path& path) {
  return DataMissing("cannot read " + path.string() + ": " + std::strerror(errno));
}

#ifdef FLEETMARK_HAVE_ZLIB
StatusOr<std::string> ReadGzip(const std::filesystem::path& path) {
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) return Unreadable(path);
  std::string bytes, piece(1 << 20, '\0');
  int count = 0;
  while ((count = gzread(file, piece.data(), static_cast<unsigned>(piece.size()))) > 0) {
    bytes.append(piece, 0, static_cast<size_t>(count));
  }
  const int closed = gzclose(file);
  if (count < 0 || closed != Z_OK) return DataCorrupt(path.string() + " is not a whole gzip file", kHint);
  return bytes;
}
#else
StatusOr<std::string> ReadGzip(const std::filesystem::path& path) {
  return Unsupported("cannot unpack " + path.string() + ": this worker was built without zlib", "gunzip it");
}
#endif

Status Corrupt(const std::filesystem::path& path, const std::string& what) {
  return DataCorrupt(path.string() + " is corrupt: " + what, kHint);
}

int64_t BigEndian32(const std::string& bytes, size_t at) {
  int64_t value = 0;
  for (size_t i = at; i < at + 4; ++i) value = value * 256 + static_cast<unsigned char>(bytes[i]);
  return value;
}

}  // namespace

bool CanReadGzip() {
#ifdef FLEETMARK_HAVE_ZLIB
  return true;
#else
  return false;
#endif
}

StatusOr<IdxArray> ReadIdx(const std::filesystem::path& path, size_t rank) {
  FLEETMARK_ASSIGN_OR_RETURN(std::string bytes, path.extension() == ".gz" ? ReadGzip(path) : ReadWholeFile(path));
  const size_t header = 4 + 4 * rank;
  if (bytes.size() < header) return Corrupt(path, "its " + std::to_string(bytes.size()) + " bytes hold no IDX header");
  const std::string magic = {'\0', '\0', '\x08', static_cast<char>(rank)};
  if (bytes.compare(0, 4, magic) != 0) {
    return Corrupt(path, "it does not begin as an IDX file of bytes with " + std::to_string(rank) + " dimensions");
  }
  IdxArray array;
  array.sha256 = Sha256Hex(bytes);
  double elements = 1;  // as a double: four extents of 32 bits overflow any integer
  for (size_t i = 0; i < rank; ++i) {
    array.shape.push_back(BigEndian32(bytes, 4 + 4 * i));
    elements *= static_cast<double>(array.shape.back());
  }
  if (elements != static_cast<double>(bytes.size() - header)) {
    return Corrupt(path, "its header promises " + std::to_string(static_cast<uint64_t>(std::min(elements, 1e18))) +
                             " elements and " + std::to_string(bytes.size() - header) + " follow");
  }
  bytes.erase(0, header);
  array.elements = std::move(bytes);
  return array;
}

}  // namespace fleetmark
