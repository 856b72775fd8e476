#include <cmath>

#include "common/proto_json.h"
#include "coordinator/references.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/scratch_directory.h"

namespace fleetmark::fuzz {

// A file of published numbers, of the workload whose numbers others follow from.
void Fuzz_references(std::string_view input) {
  static const ScratchDirectory directory;
  directory.Write("mnist_cnn.csv", input);
  const StatusOr<std::vector<Reference>> references = ReadReferences(directory.path());
  if (!references.ok()) {
    const std::string& message = references.status().message();
    Require(message.find("mnist_cnn.csv:") != std::string::npos, "a refusal names file and line: " + message);
    return;
  }
  for (const Reference& reference : *references) {
    Require(std::isfinite(reference.value), "a published number is a number");
    Require(ToJson(ToProto(reference), false) != "{}", "a reference can be shown");
  }
}

}  // namespace fleetmark::fuzz
