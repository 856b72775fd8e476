#include "tests/fuzz/text_message.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/text_format.h>

#include <memory>
#include <string>

namespace fleetmark::fuzz {
namespace {

class Ignore : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int, int, const std::string&) override {}
};

}  // namespace

void MergeText(std::string_view text, google::protobuf::Message* message) {
  const std::unique_ptr<google::protobuf::Message> before(message->New());
  before->CopyFrom(*message);
  google::protobuf::io::ArrayInputStream stream(text.data(), static_cast<int>(text.size()));
  Ignore ignore;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&ignore);
  parser.AllowPartialMessage(true);
  parser.SetRecursionLimit(50);
  parser.Merge(&stream, message);
  // A text may hold strings that are no UTF-8, which no message on the wire can.
  google::protobuf::SetLogHandler(nullptr);  // it would tell of each
  if (const std::string bytes = message->SerializeAsString(); !message->ParseFromString(bytes)) {
    message->CopyFrom(*before);
  }
}

}  // namespace fleetmark::fuzz
