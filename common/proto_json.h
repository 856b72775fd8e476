#pragma once

#include <google/protobuf/message.h>

#include <string>
#include <string_view>

#include "common/status.h"

namespace fleetmark {

// The proto JSON form with proto field names and every field printed. `pretty` indents it.
std::string ToJson(const google::protobuf::Message& message, bool pretty = false);

// Strict: unknown fields are errors. `what` names the text in the error.
Status FromJson(std::string_view text, google::protobuf::Message* message, std::string_view what);

}  // namespace fleetmark
