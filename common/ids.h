#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace fleetmark {

// Ids are 20 characters of lower-case base32 (100 bits), "k3v8q2m0x7d1f5t9h4b6". People may shorten them to any
// unambiguous prefix.
inline constexpr int kIdLength = 20;
inline constexpr int kShortIdLength = 8;  // what tables print

// A new random id, from the kernel's random source.
std::string NewId();

// The id that belongs to `parts`, the same for the same parts. The pure cores make ids this way: they own no random
// source.
std::string DeriveId(std::initializer_list<std::string_view> parts);

inline std::string_view ShortId(std::string_view id) { return id.substr(0, kShortIdLength); }

}  // namespace fleetmark
