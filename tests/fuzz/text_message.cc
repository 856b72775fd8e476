#include "tests/fuzz/text_message.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/text_format.h>

namespace fleetmark::fuzz {
namespace {

class Ignore : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int, int, const std::string&) override {}
};

}  // namespace

void MergeText(std::string_view text, google::protobuf::Message* message) {
  google::protobuf::io::ArrayInputStream stream(text.data(), static_cast<int>(text.size()));
  Ignore ignore;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&ignore);
  parser.AllowPartialMessage(true);
  parser.SetRecursionLimit(50);
  parser.Merge(&stream, message);
}

}  // namespace fleetmark::fuzz
