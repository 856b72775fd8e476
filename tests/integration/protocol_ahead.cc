// In the place of common/spoken_protocols.cc it makes a program PROTOCOL_AHEAD versions of the protocol newer.
#include "common/protocol_version.h"

namespace fleetmark {

ProtocolRange SpokenProtocols() { return {kThisProtocol.min + PROTOCOL_AHEAD, kThisProtocol.max + PROTOCOL_AHEAD}; }

}  // namespace fleetmark
