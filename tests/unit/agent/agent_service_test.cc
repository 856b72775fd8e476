// The service over a real loopback connection, as a coordinator and grpcurl see it.
#include "agent/agent_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/grpc_server.h"
#include "common/grpc_status.h"
#include "common/sha256.h"
#include "tests/unit/agent/agent_fixture.h"

namespace fleetmark::agent {
namespace {

using testing::HasSubstr;

class AgentServiceTest : public AgentTest {
 protected:
  void SetUp() override {
    AgentTest::SetUp();
    v1::AgentDescription base;
    base.mutable_host()->set_hostname("here");
    (*base.mutable_labels())["room"] = "a";
    service_ = std::make_unique<AgentService>(loop_.get(), base);
    GrpcServerOptions options;
    options.listen = "127.0.0.1:0";
    auto server = GrpcServer::Start(options, {service_.get()});
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    server_ = *std::move(server);
    stub_ = v1::AgentService::NewStub(*Dial(server_->address(), false, "the test"));
  }
  void TearDown() override {
    loop_->Stop();
    server_.reset();
  }
  template <typename Reader>
  static std::string ReadChunks(Reader* reader, std::vector<v1::Chunk>* chunks) {
    std::string bytes;
    for (v1::Chunk chunk; reader->Read(&chunk);) {
      bytes += chunk.data();
      chunks->push_back(chunk);
    }
    return bytes;
  }

  std::unique_ptr<AgentService> service_;
  std::unique_ptr<GrpcServer> server_;
  std::unique_ptr<v1::AgentService::Stub> stub_;
};

TEST_F(AgentServiceTest, DescribesItself) {
  grpc::ClientContext context;
  v1::AgentDescription description;
  ASSERT_TRUE(stub_->Describe(&context, {}, &description).ok());
  EXPECT_EQ("lab-1", description.name());
  EXPECT_EQ("here", description.host().hostname());
  EXPECT_EQ("a", description.labels().at("room"));
  EXPECT_FALSE(description.agent_id().empty());
  EXPECT_FALSE(description.process_id().empty());
  ASSERT_EQ(1, description.runtimes_size());
  EXPECT_EQ("cuda:0", description.devices(1).name());
}

TEST_F(AgentServiceTest, StartWatchFetch) {
  grpc::ClientContext start_context;
  v1::AttemptStatus status;
  ASSERT_TRUE(stub_->StartRun(&start_context, Request("a", "succeed"), &status).ok());
  EXPECT_EQ("accepted", status.state());

  grpc::ClientContext watch_context;
  v1::WatchRunRequest watch;
  watch.set_attempt_id("a");
  auto watcher = stub_->WatchRun(&watch_context, watch);
  v1::RunEvent event;
  int seq = 0;
  while (watcher->Read(&event)) EXPECT_LT(std::exchange(seq, event.seq()), event.seq());
  EXPECT_TRUE(watcher->Finish().ok());
  EXPECT_EQ("result_ready", event.status().state());

  grpc::ClientContext fetch_context;
  v1::FetchRequest fetch;
  fetch.set_attempt_id("a");
  std::vector<v1::Chunk> chunks;
  auto reader = stub_->FetchResult(&fetch_context, fetch);
  const std::string bytes = ReadChunks(reader.get(), &chunks);
  ASSERT_TRUE(reader->Finish().ok());
  EXPECT_EQ(chunks.at(0).sha256(), Sha256Hex(bytes));
  v1::AttemptReport report;
  ASSERT_TRUE(report.ParseFromString(bytes));
  EXPECT_EQ("succeeded", report.outcome());

  grpc::ClientContext rest_context;
  fetch.set_offset(10);
  auto rest = stub_->FetchResult(&rest_context, fetch);
  EXPECT_EQ(bytes.substr(10), ReadChunks(rest.get(), &chunks));
  EXPECT_TRUE(rest->Finish().ok());

  grpc::ClientContext log_context;
  fetch.set_offset(0);
  auto log = stub_->FetchLog(&log_context, fetch);
  EXPECT_THAT(ReadChunks(log.get(), &chunks), HasSubstr("fake: done"));
  EXPECT_TRUE(log->Finish().ok());
}

TEST_F(AgentServiceTest, LargeLogsComeInChunks) {
  Run("flood_stderr");
  grpc::ClientContext context;
  v1::FetchRequest fetch;
  fetch.set_attempt_id("attempt-1");
  std::vector<v1::Chunk> chunks;
  auto reader = stub_->FetchLog(&context, fetch);
  const std::string log = ReadChunks(reader.get(), &chunks);
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_GT(chunks.size(), 1u);
  EXPECT_EQ(static_cast<double>(log.size()), chunks[0].total_bytes());
}

TEST_F(AgentServiceTest, ErrorsTravelWithKindAndHint) {
  grpc::ClientContext context;
  v1::StartRunRequest request = Request("a", "noop");
  request.set_incarnation("another");
  v1::AttemptStatus response;
  EXPECT_EQ("other_incarnation", FromGrpcStatus(stub_->StartRun(&context, request, &response)).kind());
  for (const char* id : {"../../etc/passwd", "", "a b"}) {
    grpc::ClientContext fetch_context;
    v1::FetchRequest fetch;
    fetch.set_attempt_id(id);
    auto reader = stub_->FetchLog(&fetch_context, fetch);
    v1::Chunk chunk;
    EXPECT_FALSE(reader->Read(&chunk));
    EXPECT_EQ(grpc::StatusCode::INVALID_ARGUMENT, reader->Finish().error_code()) << id;
  }
}

TEST_F(AgentServiceTest, AnAbandonedSyncLetsGoOfItsThread) {
  const auto first = Sync({});
  v1::SyncRequest request;
  *request.mutable_fence() = NewFence();
  request.set_incarnation(loop_->Describe().incarnation());
  request.set_known_revision(first->revision());
  request.set_wait_s(60);
  {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(50));
    v1::SyncResponse response;
    EXPECT_EQ(grpc::StatusCode::DEADLINE_EXCEEDED, stub_->Sync(&context, request, &response).error_code());
  }
  // A stop with a call that nobody waits for ends all the same.
  loop_->Stop();
  grpc::ClientContext context;
  v1::SyncResponse response;
  EXPECT_EQ(grpc::StatusCode::UNAVAILABLE, stub_->Sync(&context, request, &response).error_code());
}

}  // namespace
}  // namespace fleetmark::agent
