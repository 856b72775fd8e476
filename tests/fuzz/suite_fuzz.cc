#include "common/proto_json.h"
#include "coordinator/cli/suite.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/scratch_directory.h"

namespace fleetmark::fuzz {

void Fuzz_suite(std::string_view input) {
  static const ScratchDirectory directory;
  const StatusOr<Suite> suite = LoadSuite(directory.Write("suite.toml", input));
  if (!suite.ok()) {
    Require(suite.status().message().find("suite.toml") != std::string::npos, "a refusal names the file");
    return;
  }
  Require(!suite->jobs.empty(), "a suite has a job");
  for (const v1::SubmitRequest& job : suite->jobs) {
    Require(!job.workload().empty(), "each job of a suite names a workload");
    Require(job.SerializeAsString().size() > 0 && ToJson(job, false) != "{}", "a job can be sent and shown");
  }
}

}  // namespace fleetmark::fuzz
