#include "common/grpc_server.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <future>
#include <thread>

#include "common/files.h"
#include "fleetmark/v1/agent.grpc.pb.h"

namespace fleetmark {
namespace {

using std::chrono::milliseconds;

class Describer final : public v1::AgentService::Service {
  grpc::Status Describe(grpc::ServerContext*, const v1::DescribeRequest*, v1::AgentDescription* description) override {
    description->set_name("lab-3");
    return grpc::Status::OK;
  }
};

TEST(GrpcServer, PicksAPortWritesItDownAndServes) {
  Describer service;
  const std::string file = testing::TempDir() + "address_" + std::to_string(getpid());
  auto server = GrpcServer::Start({.listen = "127.0.0.1:0", .address_file = file}, {&service});
  ASSERT_TRUE(server.ok()) << server.status().ToString();
  EXPECT_EQ(*ReadFile(file), (*server)->address() + "\n");
  auto channel = Dial((*server)->address(), false, "agent");
  ASSERT_TRUE(channel.ok());
  grpc::ClientContext context;
  v1::AgentDescription description;
  EXPECT_TRUE(v1::AgentService::NewStub(*channel)->Describe(&context, {}, &description).ok());
  EXPECT_EQ(description.name(), "lab-3");
  std::remove(file.c_str());
}

TEST(GrpcServer, SaysWhatIsWrongWithAnAddress) {
  Describer service;
  auto server = GrpcServer::Start({.listen = "127.0.0.1:0"}, {&service});
  ASSERT_TRUE(server.ok());
  const auto second = GrpcServer::Start({.listen = (*server)->address()}, {&service});
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.status().message().find((*server)->address()), std::string::npos);
  EXPECT_NE(second.status().message().find("in use"), std::string::npos) << second.status().message();
  EXPECT_NE(second.status().hint().find("--listen"), std::string::npos);
  EXPECT_EQ(GrpcServer::Start({.listen = "0.0.0.0:0"}, {&service}).status().code(), StatusCode::kFailedPrecondition);
  EXPECT_FALSE(GrpcServer::Start({.listen = "nonsense"}, {&service}).ok());
  EXPECT_EQ(Dial("192.0.2.1:1", false, "agent").status().code(), StatusCode::kFailedPrecondition);
}

// Answers a Sync once it is released; counts those that wait.
class Waiter final : public v1::AgentService::Service {
 public:
  grpc::Status Sync(grpc::ServerContext* context, const v1::SyncRequest*, v1::SyncResponse*) override {
    ++waiting;
    while (!is_released && !context->IsCancelled()) std::this_thread::sleep_for(milliseconds(10));
    was_cut = context->IsCancelled();
    --waiting;
    return grpc::Status::OK;
  }
  std::atomic<int> waiting = 0;
  std::atomic<bool> is_released = false;
  std::atomic<bool> was_cut = false;
};

// As fast as gRPC lets a client ping. The server is a little slower, since each ping of one side puts off the next of
// the other, and it is the client's that a server can take amiss.
constexpr Keepalive kFastServer{1'800, 20'000};
constexpr Keepalive kFastClient{1'000, 20'000};

TEST(GrpcServerRegression, ManyPingsOfAnIdleCallAreNoReasonForAGoaway) {
  Waiter service;
  auto server = GrpcServer::Start({.listen = "127.0.0.1:0", .keepalive = kFastServer}, {&service});
  ASSERT_TRUE(server.ok()) << server.status().ToString();
  auto channel = Dial((*server)->address(), false, "agent", kFastClient);
  ASSERT_TRUE(channel.ok());
  auto call = std::async(std::launch::async, [&] {
    grpc::ClientContext context;
    v1::SyncResponse response;
    return v1::AgentService::NewStub(*channel)->Sync(&context, {}, &response);
  });
  // Some six pings; a server that does not want them ends the connection at the fourth.
  EXPECT_EQ(call.wait_for(milliseconds(6'500)), std::future_status::timeout);
  service.is_released = true;
  const grpc::Status status = call.get();
  EXPECT_TRUE(status.ok()) << status.error_message();
}

}  // namespace
}  // namespace fleetmark
