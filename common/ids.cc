#include "common/ids.h"

#include <sys/random.h>

#include <array>
#include <cstdint>
#include <cstdlib>

#include "common/sha256.h"

namespace fleetmark {
namespace {

// Crockford's alphabet: no i, l, o, u, which people misread.
constexpr std::string_view kAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";

template <typename Bytes>
std::string Encode(const Bytes& bytes) {
  std::string id;
  for (int i = 0; i < kIdLength; ++i) id += kAlphabet[static_cast<uint8_t>(bytes[static_cast<size_t>(i)]) % 32];
  return id;
}

}  // namespace

std::string NewId() {
  std::array<uint8_t, kIdLength> bytes;
  // Cannot fail for so few bytes once the kernel has seeded itself, and there is no way to go on without it.
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) std::abort();
  return Encode(bytes);
}

std::string DeriveId(std::initializer_list<std::string_view> parts) {
  Sha256 hash;
  for (std::string_view part : parts) {
    // The length keeps {"ab", "c"} and {"a", "bc"} apart.
    hash.Update(std::to_string(part.size()));
    hash.Update(":");
    hash.Update(part);
  }
  const std::string hex = hash.HexDigest();
  std::array<uint8_t, kIdLength> bytes;
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<uint8_t>(std::stoi(hex.substr(2 * i, 2), nullptr, 16));
  }
  return Encode(bytes);
}

}  // namespace fleetmark
