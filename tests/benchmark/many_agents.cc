// many_agents COORDINATOR N   N agents in one process, each at an address of its own: they join, and then obey stdin
//                             (instant_agents.h)
#include <grpcpp/grpcpp.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <unordered_map>

#include "fleetmark/v1/agent.grpc.pb.h"
#include "fleetmark/v1/coordinator.grpc.pb.h"
#include "tests/benchmark/instant_agents.h"

namespace fleetmark {
namespace {

using Context = grpc::CallbackServerContext;

constexpr int kJoinAtOnce = 16;
// The server's listeners and connections, and the callers' ends of them.
constexpr rlim_t kDescriptors = 65'536;

// Ends a stream of one chunk.
class OneChunk : public grpc::ServerWriteReactor<v1::Chunk> {
 public:
  explicit OneChunk(std::string bytes) {
    if (bytes.empty()) {
      Finish(grpc::Status(grpc::StatusCode::NOT_FOUND, "no such report"));
      return;
    }
    chunk_.set_total_bytes(static_cast<double>(bytes.size()));
    chunk_.set_data(std::move(bytes));
    StartWriteAndFinish(&chunk_, {}, grpc::Status::OK);
  }
  void OnDone() override { delete this; }

 private:
  v1::Chunk chunk_;
};

// All agents behind one server with a port for each: the address that was called tells whom it means. A server each
// would be a thousand times its memory, and nothing of that is the coordinator's.
class AgentsService final : public v1::AgentService::CallbackService {
 public:
  explicit AgentsService(InstantAgents* agents) : agents_(agents), ports_(agents->count()) {
    grpc::ServerBuilder builder;
    for (int& port : ports_) builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    for (int i = 0; i < agents_->count(); ++i) index_of_[AddressOf(i)] = i;
  }
  bool is_up() const {
    return server_ != nullptr && std::none_of(ports_.begin(), ports_.end(), [](int p) { return p == 0; });
  }
  std::string AddressOf(int index) const { return "127.0.0.1:" + std::to_string(ports_[index]); }
  void Shutdown() { server_->Shutdown(std::chrono::system_clock::now()); }

  grpc::ServerUnaryReactor* Describe(Context* context, const v1::DescribeRequest*,
                                     v1::AgentDescription* response) override {
    *response = agents_->Describe(Index(context));
    return Done(context);
  }
  grpc::ServerUnaryReactor* Sync(Context* context, const v1::SyncRequest* request,
                                 v1::SyncResponse* response) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    agents_->Sync(Index(context), *request, [reactor, response](v1::SyncResponse answer) {
      response->Swap(&answer);
      reactor->Finish(grpc::Status::OK);
    });
    return reactor;
  }
  grpc::ServerUnaryReactor* StartRun(Context* context, const v1::StartRunRequest* request,
                                     v1::AttemptStatus* response) override {
    *response = agents_->StartRun(Index(context), *request);
    return Done(context);
  }
  grpc::ServerUnaryReactor* CancelRun(Context* context, const v1::CancelRunRequest* request,
                                      v1::AttemptStatus* response) override {
    *response = agents_->CancelRun(Index(context), *request);
    return Done(context);
  }
  grpc::ServerWriteReactor<v1::Chunk>* FetchResult(Context* context, const v1::FetchRequest* request) override {
    return new OneChunk(agents_->ReportOf(Index(context), request->attempt_id()));
  }

 private:
  int Index(Context* context) const {
    const grpc::string_ref authority = context->ExperimentalGetAuthority();
    return index_of_.at(std::string(authority.data(), authority.size()));
  }
  static grpc::ServerUnaryReactor* Done(Context* context) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  InstantAgents* const agents_;
  std::vector<int> ports_;
  std::unordered_map<std::string, int> index_of_;
  std::unique_ptr<grpc::Server> server_;
};

void Join(const std::string& coordinator, const InstantAgents& agents, const AgentsService& service) {
  const auto stub =
      v1::CoordinatorService::NewStub(grpc::CreateChannel(coordinator, grpc::InsecureChannelCredentials()));
  std::atomic<int> next = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kJoinAtOnce; ++i) {
    threads.emplace_back([&] {
      for (int index = next++; index < agents.count(); index = next++) {
        v1::RegisterRequest request;
        request.set_advertised_address(service.AddressOf(index));
        *request.mutable_description() = agents.Describe(index);
        grpc::ClientContext context;
        v1::RegisterResponse response;
        const grpc::Status status = stub->Register(&context, request, &response);
        if (status.ok()) continue;
        std::cerr << "Register: " << status.error_message() << "\n";
        std::exit(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

int Run(const std::string& coordinator, int count) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::min(limit.rlim_max, kDescriptors);
  setrlimit(RLIMIT_NOFILE, &limit);
  InstantAgents agents(count);
  AgentsService service(&agents);
  if (!service.is_up()) {
    std::cerr << "cannot listen on " << count << " ports of 127.0.0.1; descriptors: " << limit.rlim_cur << "\n";
    return 1;
  }
  Join(coordinator, agents, service);
  ObeyStdin(agents);
  // Polls that wait are not worth waiting for.
  std::_Exit(0);
}

}  // namespace
}  // namespace fleetmark

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: many_agents COORDINATOR N\n";
    return 2;
  }
  return fleetmark::Run(argv[1], std::stoi(argv[2]));
}
