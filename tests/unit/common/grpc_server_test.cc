#include "common/grpc_server.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "common/files.h"
#include "fleetmark/v1/agent.grpc.pb.h"

namespace fleetmark {
namespace {

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

}  // namespace
}  // namespace fleetmark
