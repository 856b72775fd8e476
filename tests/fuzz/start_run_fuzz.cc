#include "agent/admission.h"
#include "common/run_spec.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/samples.h"
#include "tests/fuzz/text_message.h"

namespace fleetmark::fuzz {

// What a coordinator asks of an agent: a StartRunRequest, as text, on top of one that is right.
void Fuzz_start_run(std::string_view input) {
  static const agent::Offer offer = SampleOffer();
  v1::StartRunRequest request = SampleStart("a");
  MergeText(input, &request);
  const std::string claimed = request.spec_sha256();
  request.set_spec_sha256(SpecSha256(request.spec()));
  // A text cannot hold the hash of what it changes.
  if (claimed != SampleStart("a").spec_sha256()) request.set_spec_sha256(claimed);
  const Status status = agent::CheckRequest(offer, request);
  if (!status.ok()) {
    Require(!status.message().empty() && !status.kind().empty(), "a refusal says why");
    return;
  }
  const v1::WorkloadSpec& workload = offer.runtimes[0].description().workloads(0);
  Require(request.spec().workload() == workload.name(), "what is accepted is offered");
  const v1::RunSpec spec = agent::SpecForRunner(request);
  const std::map<std::string, std::string> parameters(spec.parameters().begin(), spec.parameters().end());
  Require(CheckParameters(workload, parameters).ok(), "the runner gets parameters within their bounds");
  Require(!agent::DeviceUuid(request).empty(), "the run has a device");
}

}  // namespace fleetmark::fuzz
