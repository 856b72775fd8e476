// agents_in_memory --agents N [settings of fleetmark-coordinator]
// A whole coordinator, store and service included, whose N agents are in its own memory (instant_agents.h): everything
// but gRPC to agents. Their thread is called "agents". Obeys stdin.
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cstring>
#include <deque>
#include <iostream>

#include "common/grpc_server.h"
#include "common/log.h"
#include "coordinator/service.h"
#include "coordinator/settings.h"
#include "tests/benchmark/instant_agents.h"

namespace fleetmark {
namespace {

constexpr int kJoinAtOnce = 16;

std::string AddressOf(int index) { return "agent-" + std::to_string(index) + ":7810"; }
int IndexOf(const std::string& address) { return std::atoi(address.c_str() + std::strlen("agent-")); }

// Calls are carried out by one thread, as a network would: the caller goes on at once.
class MemoryCalls : public AgentCalls {
 public:
  explicit MemoryCalls(InstantAgents* agents) : agents_(agents) {
    thread_ = std::thread([this] {
      NameThread("agents");
      CarryOut();
    });
  }
  ~MemoryCalls() override {
    {
      const std::lock_guard lock(mutex_);
      is_stopping_ = true;
      arrived_.notify_all();
    }
    thread_.join();
  }

  void Perform(const Call& call, std::function<void(Event)> done) override {
    const std::lock_guard lock(mutex_);
    calls_.emplace_back(call, std::move(done));
    arrived_.notify_all();
  }
  void CancelAll() override {}
  std::unique_ptr<Stream> WatchRun(const std::string&, const std::string&,
                                   std::function<void(const v1::RunEvent&)>) override {
    return nullptr;
  }
  Status FetchLog(const std::string&, const std::string&, const std::function<bool(const v1::Chunk&)>&) override {
    return NotFound("no log");
  }

 private:
  using Done = std::function<void(Event)>;

  void CarryOut() {
    std::unique_lock lock(mutex_);
    for (;;) {
      arrived_.wait(lock, [&] { return is_stopping_ || !calls_.empty(); });
      if (is_stopping_) return;
      const auto [call, done] = std::move(calls_.front());
      calls_.pop_front();
      lock.unlock();
      std::visit([&, &done = done](const auto& one) { CarryOutOne(one, done); }, call);
      lock.lock();
    }
  }

  void CarryOutOne(const DescribeCall& call, const Done& done) {
    done(Described{call.call, OkStatus(), agents_->Describe(IndexOf(call.address))});
  }
  void CarryOutOne(const SyncCall& call, const Done& done) {
    agents_->Sync(IndexOf(call.address), call.request,
                  [done, number = call.call, agent_id = call.agent_id](v1::SyncResponse response) {
                    done(Synced{number, agent_id, OkStatus(), std::move(response)});
                  });
  }
  void CarryOutOne(const OrderCall& call, const Done& done) {
    const int index = IndexOf(call.address);
    OrderAnswered answered{call.agent_id, OkStatus(), {}};
    if (const auto* start = std::get_if<v1::StartRunRequest>(&call.request)) {
      answered.attempt = agents_->StartRun(index, *start);
    } else if (const auto* cancel = std::get_if<v1::CancelRunRequest>(&call.request)) {
      answered.attempt = agents_->CancelRun(index, *cancel);
    }
    done(std::move(answered));
  }
  void CarryOutOne(const FetchCall& call, const Done& done) {
    std::string bytes = agents_->ReportOf(IndexOf(call.address), call.attempt_id);
    const Status status = bytes.empty() ? NotFound("no such report") : OkStatus();
    done(Fetched{call.agent_id, call.attempt_id, call.sha256, status, std::move(bytes), ""});
  }
  void CarryOutOne(const EndSync&, const Done&) {}  // the next one replaces it
  void CarryOutOne(const LookUp&, const Done&) {}
  void CarryOutOne(const ResetConnection&, const Done&) {}

  InstantAgents* const agents_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::pair<Call, Done>> calls_;
  bool is_stopping_ = false;
  std::thread thread_;
};

Status Join(Coordinator& coordinator, const InstantAgents& agents) {
  std::atomic<int> next = 0;
  std::mutex mutex;
  Status failure;
  std::vector<std::thread> threads;
  for (int i = 0; i < kJoinAtOnce; ++i) {
    threads.emplace_back([&] {
      for (int index = next++; index < agents.count(); index = next++) {
        AddAgentAsked asked;
        asked.address = AddressOf(index);
        asked.claimed = agents.Describe(index);
        const Status status = coordinator.loop().Ask(asked).status;
        const std::lock_guard lock(mutex);
        if (!status.ok()) failure = status;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return failure;
}

Status Serve(const CoordinatorFlags& flags, int count) {
  FLEETMARK_RETURN_IF_ERROR(InitialiseLog(flags.log_level, flags.log_format));
  InstantAgents agents(count);
  FLEETMARK_ASSIGN_OR_RETURN(
      const std::unique_ptr<Coordinator> coordinator,
      Coordinator::Start(flags.ForCoordinator(), {}, std::make_unique<MemoryCalls>(&agents), &RealClock()));
  const std::unique_ptr<grpc::Service> service = MakeCoordinatorService(coordinator.get());
  FLEETMARK_ASSIGN_OR_RETURN(const std::unique_ptr<GrpcServer> server,
                             GrpcServer::Start({flags.listen, flags.address_file, flags.insecure}, {service.get()}));
  FLEETMARK_RETURN_IF_ERROR(Join(*coordinator, agents));
  ObeyStdin(agents);
  // Polls that wait are not worth waiting for.
  std::_Exit(0);
}

}  // namespace
}  // namespace fleetmark

int main(int argc, char** argv) {
  CLI::App app("A coordinator whose agents are in its own memory", "agents_in_memory");
  int count = 10;
  app.add_option("--agents", count, "How many");
  fleetmark::CoordinatorFlags flags;
  fleetmark::Settings settings;
  flags.AddTo(&settings);
  settings.AddTo(&app);
  CLI11_PARSE(app, argc, argv);
  fleetmark::Status status = settings.Resolve();
  if (status.ok()) status = fleetmark::Serve(flags, count);
  if (status.ok()) return 0;
  std::cerr << status.ToString() << "\n";
  return 1;
}
