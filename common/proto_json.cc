#include "common/proto_json.h"

#include <google/protobuf/util/json_util.h>

namespace fleetmark {

std::string ToJson(const google::protobuf::Message& message, bool pretty) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  options.add_whitespace = pretty;
  std::string text;
  // Fails only for Any and well-known types with bad contents, which the protocol has none of.
  const auto status = google::protobuf::util::MessageToJsonString(message, &text, options);
  return status.ok() ? text : "{}";
}

Status FromJson(std::string_view text, google::protobuf::Message* message, std::string_view what) {
  const auto status =
      google::protobuf::util::JsonStringToMessage(google::protobuf::StringPiece(text.data(), text.size()), message);
  if (status.ok()) return OkStatus();
  return InvalidArgument(std::string(what) + " is not what it should be: " + std::string(status.message()));
}

}  // namespace fleetmark
