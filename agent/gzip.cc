#include "agent/gzip.h"

#include <zlib.h>

#include <algorithm>

namespace fleetmark::agent {
namespace {

constexpr int kGzipWindow = 15 + 16;  // zlib's way to ask for gzip
constexpr size_t kStep = size_t{1} << 20;

}  // namespace

StatusOr<std::string> GunzipIfPacked(std::string bytes, size_t max_bytes, const std::string& what) {
  if (bytes.size() < 2 || bytes[0] != '\x1f' || bytes[1] != '\x8b') return bytes;
  z_stream stream{};
  if (inflateInit2(&stream, kGzipWindow) != Z_OK) return Internal("zlib cannot start");
  stream.next_in = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string unpacked;
  int result = Z_OK;
  while (result == Z_OK && unpacked.size() <= max_bytes) {
    const size_t start = unpacked.size();
    unpacked.resize(start + kStep);
    stream.next_out = reinterpret_cast<Bytef*>(unpacked.data() + start);
    stream.avail_out = static_cast<uInt>(kStep);
    result = inflate(&stream, Z_NO_FLUSH);
    unpacked.resize(start + kStep - stream.avail_out);
  }
  inflateEnd(&stream);
  if (result == Z_STREAM_END && unpacked.size() <= max_bytes) return unpacked;
  return DataLoss(what + " is gzip, and damaged, cut or too large", "fetch it again", "data_corrupt");
}

}  // namespace fleetmark::agent
