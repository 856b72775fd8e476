#include "common/address.h"

#include <arpa/inet.h>

#include <charconv>

namespace fleetmark {

std::string Address::ToString() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

bool Address::IsLoopback() const {
  if (host == "localhost" || host == "::1") return true;
  in_addr v4{};
  return inet_pton(AF_INET, host.c_str(), &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127;
}

StatusOr<Address> ParseAddress(std::string_view text, std::string_view what) {
  const Status bad = InvalidArgument(std::string(what) + " " + std::string(text) + " is not an address",
                                     "give HOST:PORT, for example 127.0.0.1:7800 or [::1]:7800");
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return bad;
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return bad;
  }
  Address address{std::string(host), 0};
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size() || address.port < 0 || address.port > 65535) return bad;
  return address;
}

Status CheckReach(const Address& address, bool insecure, std::string_view what) {
  if (insecure || address.IsLoopback()) return OkStatus();
  return Status(
      StatusCode::kFailedPrecondition,
      std::string(what) + " " + address.ToString() + " is beyond this machine, and the connection is not encrypted",
      "use a loopback address, or --insecure: then whoever reaches the port can read results and start runs",
      "insecure");
}

}  // namespace fleetmark
