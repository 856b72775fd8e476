// submit_load COORDINATOR latency N   submits N no-op runs one after the other; prints the milliseconds from before the
//                                     Submit call to the runner's main, one a line
// submit_load COORDINATOR rate N      submits one job of N no-op runs; prints runs a second until the last is stored
#include <grpcpp/grpcpp.h>
#include <time.h>

#include <cstdio>
#include <iostream>
#include <memory>
#include <string>

#include "fleetmark/v1/coordinator.grpc.pb.h"

namespace {

using fleetmark::v1::CoordinatorService;

double UnixSeconds() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void Check(const grpc::Status& status, const char* what) {
  if (status.ok()) return;
  std::cerr << what << ": " << status.error_message() << "\n";
  std::exit(1);
}

std::string Submit(CoordinatorService::Stub& stub, int repeat) {
  fleetmark::v1::SubmitRequest request;
  request.set_workload("noop");
  request.set_runtime("instant");
  request.set_repeat(repeat);
  grpc::ClientContext context;
  fleetmark::v1::SubmitResponse response;
  Check(stub.Submit(&context, request, &response), "Submit");
  return response.job_id();
}

// The last run of the job to end, once all have.
fleetmark::v1::RunInfo WaitFor(CoordinatorService::Stub& stub, const std::string& job_id) {
  grpc::ClientContext context;
  fleetmark::v1::WatchRunsRequest request;
  request.add_ids(job_id);
  const auto stream = stub.WatchRuns(&context, request);
  fleetmark::v1::RunUpdate update;
  fleetmark::v1::RunInfo last;
  while (stream->Read(&update)) {
    if (update.run().state() == "succeeded") last = update.run();
    const std::string& state = update.run().state();
    if (state != "queued" && state != "running" && state != "succeeded") {
      std::cerr << "a run is " << state << ": " << update.run().reason() << "\n";
      std::exit(1);
    }
  }
  Check(stream->Finish(), "WatchRuns");
  return last;
}

double MainOf(CoordinatorService::Stub& stub, const std::string& run_id) {
  grpc::ClientContext context;
  fleetmark::v1::GetRunRequest request;
  request.set_run_id(run_id);
  fleetmark::v1::RunInfo run;
  Check(stub.GetRun(&context, request, &run), "GetRun");
  return run.result().metrics(0).value();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: submit_load COORDINATOR latency|rate N\n";
    return 2;
  }
  const auto stub = CoordinatorService::NewStub(grpc::CreateChannel(argv[1], grpc::InsecureChannelCredentials()));
  const int count = std::stoi(argv[3]);
  if (std::string(argv[2]) == "rate") {
    const double start = UnixSeconds();
    WaitFor(*stub, Submit(*stub, count));
    std::printf("%.2f\n", count / (UnixSeconds() - start));
    return 0;
  }
  for (int i = 0; i < count; ++i) {
    const double start = UnixSeconds();
    const auto run = WaitFor(*stub, Submit(*stub, 1));
    std::printf("%.3f\n", (MainOf(*stub, run.run_id()) - start) * 1e3);
  }
  return 0;
}
