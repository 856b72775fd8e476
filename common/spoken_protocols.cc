#include "common/protocol_version.h"

namespace fleetmark {

ProtocolRange SpokenProtocols() { return kThisProtocol; }

}  // namespace fleetmark
