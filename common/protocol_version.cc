#include "common/protocol_version.h"

#include <algorithm>
#include <charconv>

namespace fleetmark {
namespace {

std::string InWords(const ProtocolRange& range) {
  std::string text = std::to_string(range.min);
  if (range.max != range.min) text += " to " + std::to_string(range.max);
  return text;
}

}  // namespace

std::string FormatProtocols(const ProtocolRange& range) {
  return std::to_string(range.min) + "-" + std::to_string(range.max);
}

StatusOr<ProtocolRange> ParseProtocols(std::string_view text) {
  ProtocolRange range;
  const char* const end = text.data() + text.size();
  const auto min = std::from_chars(text.data(), end, range.min);
  const bool has_max = min.ec == std::errc() && min.ptr != end && *min.ptr == '-';
  const auto max = has_max ? std::from_chars(min.ptr + 1, end, range.max) : min;
  if (!has_max || max.ec != std::errc() || max.ptr != end) {
    return InvalidArgument("\"" + std::string(text) + "\" is no range of protocol versions", "give it as 1-2",
                           "protocol");
  }
  return range;
}

StatusOr<int> NegotiateProtocol(const ProtocolSide& here, const ProtocolSide& there) {
  const int newest = std::min(here.range.max, there.range.max);
  if (newest >= std::max(here.range.min, there.range.min)) return newest;
  const ProtocolSide& older = there.range.max < here.range.max ? there : here;
  return FailedPrecondition(
      there.name + " speaks protocol " + InWords(there.range) + ", " + here.name + " " + InWords(here.range),
      "upgrade " + older.name, "protocol");
}

}  // namespace fleetmark
