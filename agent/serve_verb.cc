#include <signal.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "agent/agent_loop.h"
#include "agent/agent_service.h"
#include "agent/agent_settings.h"
#include "agent/memory_footprint.h"
#include "agent/registration.h"
#include "agent/runners.h"
#include "agent/verbs.h"
#include "common/address.h"
#include "common/failpoint.h"
#include "common/grpc_server.h"
#include "common/host_info.h"
#include "common/log.h"
#include "common/run_spec.h"

namespace fleetmark::agent {
namespace {

v1::AgentDescription DescribeMachine(const AgentSettings& settings) {
  const HostInfo info = ReadHostInfo();
  v1::AgentDescription description;
  v1::Host* host = description.mutable_host();
  host->set_hostname(info.hostname);
  host->set_os(info.os);
  host->set_kernel(info.kernel);
  host->set_cpu_model(info.cpu_model);
  host->set_cpu_count(info.cpu_count);
  host->set_physical_cores(info.physical_cores);
  host->set_memory_bytes(info.memory_bytes);
  description.mutable_labels()->insert(settings.labels.begin(), settings.labels.end());
  return description;
}

AgentLoop::Options LoopOptions(const AgentSettings& settings) {
  AgentLoop::Options options = settings.ForLoop();
  options.offer.runtimes = DescribeRunners(options.runners);
  for (const v1::Runtime& runtime : options.offer.runtimes) {
    if (runtime.unavailable().empty()) {
      spdlog::info("runtime {} {}: {} workloads", runtime.name(), runtime.description().runtime_version(),
                   runtime.description().workloads_size());
    } else {
      spdlog::warn("runtime {} is not available: {}", runtime.name(), runtime.unavailable());
    }
  }
  return options;
}

// Where a coordinator reaches what listens on `listening`.
std::string AdvertisedAddress(const AgentSettings& settings, const std::string& listening) {
  if (!settings.advertise.empty()) return settings.advertise;
  auto address = ParseAddress(listening, "--listen");
  if (!address.ok() || (address->host != "0.0.0.0" && address->host != "::")) return listening;
  address->host = ReadHostInfo().hostname;
  return address->ToString();
}

StatusOr<std::unique_ptr<Registration>> StartRegistration(const AgentSettings& settings, const std::string& address,
                                                          AgentLoop* loop, AgentService* service) {
  FLEETMARK_ASSIGN_OR_RETURN(const auto channel, Dial(settings.coordinator, settings.insecure, "--coordinator"));
  Registration::Options options;
  options.coordinator = settings.coordinator;
  options.stub = v1::CoordinatorService::NewStub(channel);
  options.make_request = [service, address] {
    v1::RegisterRequest request;
    request.set_advertised_address(address);
    *request.mutable_description() = service->Description();
    return request;
  };
  options.last_sync_ns = [loop] { return loop->last_sync_ns(); };
  return std::make_unique<Registration>(std::move(options));
}

// SIGTERM or SIGINT ends it; a second one ends it at once, and its worker with it.
sigset_t BlockStopSignals() {
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return stop;
}

void WaitForStop(const sigset_t& stop) {
  // By then the first registration is over.
  const timespec settled{5, 0};
  int number = sigtimedwait(&stop, nullptr, &settled);
  if (number < 0) {
    ReleaseStartupMemory();
    sigwait(&stop, &number);
  }
  spdlog::info("stopping; what runs is ended as interrupted (once more to stop at once)");
  signal(SIGTERM, [](int) { _exit(1); });
  signal(SIGINT, [](int) { _exit(1); });
  pthread_sigmask(SIG_UNBLOCK, &stop, nullptr);
}

Status Serve(const AgentSettings& settings) {
  FLEETMARK_RETURN_IF_ERROR(ArmFailPoint());
  FLEETMARK_RETURN_IF_ERROR(CheckAgentName(settings.name));
  const sigset_t stop = BlockStopSignals();
  FLEETMARK_RETURN_IF_ERROR(InitialiseLog(settings.log_level, settings.log_format));
  FLEETMARK_ASSIGN_OR_RETURN(const std::unique_ptr<AgentLoop> loop, AgentLoop::Start(LoopOptions(settings)));
  AgentService service(loop.get(), DescribeMachine(settings));
  GrpcServerOptions options;
  options.listen = settings.listen;
  options.address_file = settings.address_file;
  options.insecure = settings.insecure;
  FLEETMARK_ASSIGN_OR_RETURN(const std::unique_ptr<GrpcServer> server, GrpcServer::Start(options, {&service}));
  const std::string address = AdvertisedAddress(settings, server->address());
  spdlog::info("agent {} serves on {}, state in {}", settings.name, server->address(), settings.state_dir);
  std::unique_ptr<Registration> registration;
  if (!settings.coordinator.empty()) {
    FLEETMARK_ASSIGN_OR_RETURN(registration, StartRegistration(settings, address, loop.get(), &service));
  }
  WaitForStop(stop);
  registration.reset();
  loop->Stop();
  server->Shutdown();
  return OkStatus();
}

}  // namespace

void AddServeVerb(CLI::App* app, int* exit_code) {
  CLI::App* verb = app->add_subcommand("serve", "Run the agent of this machine");
  const auto values = std::make_shared<AgentSettings>();
  const auto settings = std::make_shared<Settings>();
  values->AddServer(settings.get());
  values->AddStateDir(settings.get());
  values->AddMachine(settings.get());
  settings->AddTo(verb);
  verb->callback([values, settings, exit_code] {
    Status status = settings->Resolve();
    if (status.ok()) status = Serve(*values);
    *exit_code = ReportStatus(status);
  });
}

}  // namespace fleetmark::agent
