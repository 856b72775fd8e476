#include "tests/unit/protocol/fleet_fixture.h"

#include <algorithm>
#include <utility>

#include "agent/runners.h"
#include "common/ids.h"
#include "coordinator/dispatcher.h"
#include "tests/unit/agent/agent_fixture.h"

namespace fleetmark {

using agent::WaitUntil;

AgentMachine::AgentMachine(const std::string& machine_name, std::filesystem::path state_dir)
    : name(machine_name), state_dir_(std::move(state_dir)) {
  Start();
}

AgentMachine::~AgentMachine() { Stop(); }

void AgentMachine::Start() {
  static const std::vector<v1::Runtime> runtimes = agent::DescribeRunners({{"fake", FAKE_RUNNER}});
  agent::AgentLoop::Options options;
  options.name = name;
  options.state_directory = state_dir_;
  options.lock_directory = state_dir_.string() + "-locks";
  options.dataset_directory = "/data";
  options.runners = {{"fake", FAKE_RUNNER}};
  options.offer.runtimes = runtimes;
  loop_ = std::move(agent::AgentLoop::Start(std::move(options))).value();
  service_ = std::make_unique<agent::AgentService>(loop_.get(), v1::AgentDescription());
  server_ = std::move(GrpcServer::Start({"127.0.0.1:0", "", false}, {service_.get()})).value();
  post.Serve(server_->address());
}

void AgentMachine::Stop() {
  if (loop_ == nullptr) return;
  loop_->Stop();
  server_.reset();
  service_.reset();
  loop_.reset();
}

void AgentMachine::RemoveJournal() {
  for (const char* file : {"journal.db", "journal.db-wal", "journal.db-shm"}) {
    std::filesystem::remove(state_dir_ / file);
  }
}

std::string AgentMachine::StateOf(const std::string& attempt_id) {
  v1::SyncRequest request = post.syncs().back();
  request.set_wait_s(0);
  // Only looking: as the coordinator would say it now, so that nothing is ended.
  const std::vector<v1::StartRunRequest> starts = post.starts();
  for (const v1::StartRunRequest& start : starts) {
    request.add_desired_attempt_ids(start.attempt_id());
    request.mutable_fence()->set_seq(std::max(request.fence().seq(), start.fence().seq()));
  }
  const StatusOr<v1::SyncResponse> response = post.Deliver(request);
  if (!response.ok()) return response.status().ToString();
  for (const v1::AttemptStatus& status : response->attempts()) {
    if (status.attempt_id() == attempt_id) return status.state();
  }
  return "";
}

int AgentMachine::spawned() const {
  const std::filesystem::directory_iterator logs(state_dir_ / "logs");
  return static_cast<int>(std::distance(begin(logs), end(logs)));
}

std::unique_ptr<Coordinator> FleetFixture::StartCoordinator(const std::string& directory) {
  CoordinatorSettings settings = settings_;
  settings.state_dir = directory_.path() / directory;
  return std::move(Coordinator::Start(settings, {}, MakeDispatcher(false), &RealClock())).value();
}

std::unique_ptr<AgentMachine> FleetFixture::StartMachine(const std::string& name) {
  return std::make_unique<AgentMachine>(name, directory_.path() / name);
}

void FleetFixture::Join(Coordinator& coordinator, const AgentMachine& machine) {
  AddAgentAsked asked;
  asked.address = machine.post.address();
  const Status status = coordinator.loop().Ask(asked).status;
  ASSERT_TRUE(status.ok()) << status.ToString();
  ASSERT_TRUE(WaitUntil([&] { return !machine.post.syncs().empty(); }));
  EXPECT_TRUE(WaitUntil([&] { return AgentOf(coordinator, machine.name).state() == "idle"; }));
}

std::string FleetFixture::Submit(Coordinator& coordinator, const std::string& workload, const std::string& on,
                                 double seconds, int retries) {
  SubmitAsked asked;
  asked.request.set_request_id(NewId());
  asked.request.set_workload(workload);
  asked.request.set_runtime("fake");
  asked.request.set_device("cpu");
  asked.request.add_on(on);
  asked.request.set_retries(retries);
  if (seconds > 0) (*asked.request.mutable_parameters())["seconds"] = std::to_string(seconds);
  const Reply reply = coordinator.loop().Ask(asked);
  EXPECT_TRUE(reply.status.ok()) << reply.status.ToString();
  return reply.submitted.run_ids_size() == 0 ? "" : reply.submitted.run_ids(0);
}

v1::RunInfo FleetFixture::RunOf(Coordinator& coordinator, const std::string& run_id) {
  const StatusOr<v1::RunInfo> run = coordinator.FindRun(run_id, ResultDetail::kBrief);
  EXPECT_TRUE(run.ok()) << run.status().ToString();
  return run.ok() ? *run : v1::RunInfo();
}

v1::AgentInfo FleetFixture::AgentOf(Coordinator& coordinator, const std::string& name) {
  v1::AgentInfo found;
  coordinator.loop().View([&](const CoordinatorCore& core, Moment now) {
    v1::ListAgentsRequest request;
    request.set_name(name);
    const v1::ListAgentsResponse list = core.Agents(now, request);
    if (!list.agents().empty()) found = list.agents(0);
  });
  return found;
}

v1::RunInfo FleetFixture::WaitForState(Coordinator& coordinator, const std::string& run_id, const std::string& state) {
  v1::RunInfo run;
  const bool is_reached = WaitUntil([&] {
    run = RunOf(coordinator, run_id);
    return run.state() == state;
  });
  EXPECT_TRUE(is_reached) << "the run is " << run.state() << ": " << run.reason() << ", not " << state;
  return run;
}

}  // namespace fleetmark
