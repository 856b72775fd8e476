#include <malloc.h>
#include <signal.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "common/build_info.h"
#include "common/failpoint.h"
#include "common/grpc_server.h"
#include "common/log.h"
#include "coordinator/dispatcher.h"
#include "coordinator/restore_verb.h"
#include "coordinator/service.h"
#include "coordinator/settings.h"

namespace fleetmark {
namespace {

// SIGTERM and SIGINT stop it; no thread but this one sees them.
sigset_t BlockStopSignals() {
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return stop;
}

// glibc gives threads up to eight arenas for each core, and what was freed in one stays there. Fewer save a tenth of
// the memory, for a tenth of the results a second (tests/benchmark/scale.py, 1,000 agents).
void KeepArenasFew() {
  if (std::getenv("MALLOC_ARENA_MAX") != nullptr) return;
  mallopt(M_ARENA_MAX, 2 * static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
}

// Boards can do without the published numbers.
std::vector<Reference> ReadReferencesIfThere(const std::string& directory) {
  StatusOr<std::vector<Reference>> references = ReadReferences(directory);
  if (references.ok()) return std::move(references).value();
  spdlog::warn("boards will show no published numbers: {}", references.status().ToString());
  return {};
}

Status Serve(const CoordinatorFlags& flags) {
  FLEETMARK_RETURN_IF_ERROR(ArmFailPoint());
  KeepArenasFew();
  const sigset_t stop = BlockStopSignals();
  FLEETMARK_RETURN_IF_ERROR(InitialiseLog(flags.log_level, flags.log_format));
  if (!(flags.lease_s > 0) || !(flags.offline_after_s > 0)) {
    return InvalidArgument("--lease and --offline-after must be more than 0 seconds");
  }
  FLEETMARK_ASSIGN_OR_RETURN(const std::unique_ptr<Coordinator> coordinator,
                             Coordinator::Start(flags.ForCoordinator(), ReadReferencesIfThere(flags.reference_dir),
                                                MakeDispatcher(flags.insecure), &RealClock()));
  const std::unique_ptr<grpc::Service> service = MakeCoordinatorService(coordinator.get());
  GrpcServerOptions options{flags.listen, flags.address_file, flags.insecure};
  FLEETMARK_ASSIGN_OR_RETURN(const std::unique_ptr<GrpcServer> server, GrpcServer::Start(options, {service.get()}));
  spdlog::info("coordinator {} serves on {}, epoch {}, state in {}", GetBuildInfo().version, server->address(),
               coordinator->epoch().coordinator_epoch, flags.state_dir);
  int number = 0;
  sigwait(&stop, &number);
  spdlog::info("stopping; runs go on, and their results are fetched at the next start");
  coordinator->Stop();
  server->Shutdown();
  return OkStatus();
}

int Report(const Status& status) {
  if (status.ok()) return 0;
  std::fprintf(stderr, "fleetmark-coordinator: %s\n", status.message().c_str());
  if (!status.hint().empty()) std::fprintf(stderr, "  hint: %s\n", status.hint().c_str());
  switch (status.code()) {
    case StatusCode::kInvalidArgument:
    case StatusCode::kNotFound:
    case StatusCode::kAlreadyExists:
    case StatusCode::kFailedPrecondition:
      return 2;
    default:
      return 5;
  }
}

}  // namespace
}  // namespace fleetmark

int main(int argc, char** argv) {
  CLI::App app("The coordinator: schedules benchmark jobs on agents and keeps every result", "fleetmark-coordinator");
  app.set_version_flag("--version", std::string(fleetmark::GetBuildInfo().version));
  fleetmark::CoordinatorFlags flags;
  fleetmark::Settings settings;
  flags.AddTo(&settings);
  settings.AddTo(&app);
  fleetmark::RestoreVerb restore;
  restore.AddTo(&app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    return fleetmark::Report(fleetmark::InvalidArgument(error.what(), "see fleetmark-coordinator --help"));
  }
  fleetmark::Status status = settings.Resolve();
  if (status.ok()) status = restore.file.empty() ? fleetmark::Serve(flags) : restore.Run(flags.state_dir);
  return fleetmark::Report(status);
}
