#pragma once

#include <string>
#include <string_view>

#include "common/status.h"

namespace fleetmark {

// "HOST:PORT", "[::1]:PORT".
struct Address {
  std::string host;
  int port = 0;

  std::string ToString() const;
  // True for localhost, 127.0.0.0/8 and ::1; a name that must be looked up is not loopback.
  bool IsLoopback() const;
};

// `what` names the setting in the error ("--listen").
StatusOr<Address> ParseAddress(std::string_view text, std::string_view what);

// Refuses what is beyond loopback unless `insecure`; says what to do.
Status CheckReach(const Address& address, bool insecure, std::string_view what);

}  // namespace fleetmark
