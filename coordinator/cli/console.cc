#include "coordinator/cli/console.h"

#include "common/proto_json.h"
#include "coordinator/cli/error_info.h"
#include "coordinator/cli/render/text.h"
#include "fleetmark/v1/cli.pb.h"

namespace fleetmark {

v1::ErrorInfo ToErrorInfo(const Status& status) {
  v1::ErrorInfo error;
  error.set_code(std::string(StatusCodeName(status.code())));
  error.set_kind(status.kind());
  error.set_message(status.message());
  error.set_hint(status.hint());
  return error;
}

void Console::PrintDocument(const google::protobuf::Message& document) {
  out_ << ToJson(document, true);
  out_ << std::flush;
}

void Console::PrintError(const Status& status) {
  if (json_) {
    v1::ErrorDocument document;
    *document.mutable_error() = ToErrorInfo(status);
    PrintDocument(document);
    return;
  }
  out_ << std::flush;
  err_ << "error: " << Printable(status.message()) << "\n";
  if (!status.hint().empty()) err_ << "hint: " << Printable(status.hint()) << "\n";
  err_ << std::flush;
}

}  // namespace fleetmark
