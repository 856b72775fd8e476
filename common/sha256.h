#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fleetmark {

// SHA-256 (FIPS 180-4) of a byte stream. Our own because the worker, which says which data it trained on, may depend
// on nothing but LibTorch and nlohmann-json; agent and coordinator use the same code so that hashes agree.
// Not thread-safe; one object per stream.
class Sha256 {
 public:
  Sha256();
  // Appends bytes to the stream. May not be called after HexDigest.
  void Update(std::string_view bytes);
  // Ends the stream and returns its hash as 64 lower-case hexadecimal digits.
  std::string HexDigest();

 private:
  void Compress(const uint8_t* block);

  std::array<uint32_t, 8> state_;
  std::array<uint8_t, 64> buffer_;
  size_t buffered_ = 0;
  uint64_t total_bytes_ = 0;
};

// The hash of `bytes` as 64 lower-case hexadecimal digits.
std::string Sha256Hex(std::string_view bytes);

}  // namespace fleetmark
