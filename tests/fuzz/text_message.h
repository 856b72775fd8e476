#pragma once

#include <google/protobuf/message.h>

#include <string_view>

namespace fleetmark::fuzz {

// Merges a message's text form into `message`: single fields are replaced, lists grow. From the first mistake in the
// text on it is left out; where what comes of it could not travel, all of it. So inputs stay readable, and most changes
// of one mean something.
void MergeText(std::string_view text, google::protobuf::Message* message);

}  // namespace fleetmark::fuzz
