// The coordinator as its callers see it: over a real channel, with an agent that speaks real gRPC.
#include "coordinator/service.h"

#include <gmock/gmock.h>
#include <google/protobuf/unknown_field_set.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <set>

#include "common/grpc_server.h"
#include "common/grpc_status.h"
#include "common/ids.h"
#include "common/sha256.h"
#include "coordinator/backup.h"
#include "coordinator/coordinator.h"
#include "coordinator/dispatcher.h"
#include "fleetmark/v1/agent.grpc.pb.h"
#include "fleetmark/v1/coordinator.grpc.pb.h"
#include "tests/unit/coordinator/core_harness.h"

namespace fleetmark {
namespace {

using testing::HasSubstr;
using Context = grpc::ServerContext;

// Runs everything at once, or holds it until it is cancelled.
class LoopbackAgent final : public v1::AgentService::Service {
 public:
  LoopbackAgent() { server_ = std::move(GrpcServer::Start({"127.0.0.1:0", "", false}, {this})).value(); }
  ~LoopbackAgent() override {
    {
      const std::lock_guard lock(mutex_);
      is_stopping_ = true;
      changed_.notify_all();
    }
    server_->Shutdown();
  }
  const std::string& address() const { return server_->address(); }
  const v1::AgentDescription& description() const { return script_.description; }
  void HoldRuns() {
    const std::lock_guard lock(mutex_);
    holds_ = true;
  }
  void SendWrongBytes(bool wrong) {
    const std::lock_guard lock(mutex_);
    sends_wrong_bytes_ = wrong;
  }
  bool WaitUntilAcknowledged() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return script_.reports.empty(); });
  }

  grpc::Status Describe(Context*, const v1::DescribeRequest*, v1::AgentDescription* response) override {
    *response = script_.description;
    return grpc::Status::OK;
  }
  grpc::Status Sync(Context* context, const v1::SyncRequest* request, v1::SyncResponse* response) override {
    std::unique_lock lock(mutex_);
    for (const v1::Ack& ack : request->acks()) {
      const auto report = script_.reports.find(ack.attempt_id());
      if (report == script_.reports.end() || Sha256Hex(report->second) != ack.sha256()) continue;
      script_.reports.erase(report);
      script_.attempts.erase(ack.attempt_id());
      Change();
    }
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(request->wait_s());
    while (!is_stopping_ && request->known_revision() == script_.revision && !context->IsCancelled() &&
           std::chrono::steady_clock::now() < deadline) {
      changed_.wait_for(lock, std::chrono::milliseconds(20));
    }
    response->set_boot_id("boot");
    response->set_boottime_ns(1);
    response->set_incarnation(script_.description.incarnation());
    response->set_process_id(script_.description.process_id());
    response->set_revision(script_.revision);
    for (const auto& [id, status] : script_.attempts) *response->add_attempts() = status;
    for (const auto& [id, bytes] : script_.reports) {
      v1::PendingResult* pending = response->add_pending_results();
      pending->set_attempt_id(id);
      pending->set_sha256(Sha256Hex(bytes));
    }
    return grpc::Status::OK;
  }
  grpc::Status StartRun(Context*, const v1::StartRunRequest* request, v1::AttemptStatus* response) override {
    const std::lock_guard lock(mutex_);
    v1::AttemptStatus& status = script_.attempts[request->attempt_id()];
    status.set_attempt_id(request->attempt_id());
    status.set_state("running");
    *response = status;
    if (!holds_) script_.Report(request->attempt_id(), "succeeded");
    Change();
    return grpc::Status::OK;
  }
  grpc::Status CancelRun(Context*, const v1::CancelRunRequest* request, v1::AttemptStatus* response) override {
    const std::lock_guard lock(mutex_);
    response->set_attempt_id(request->attempt_id());
    response->set_state("cancelling");
    script_.Report(request->attempt_id(), "cancelled");
    Change();
    return grpc::Status::OK;
  }
  grpc::Status WatchRun(Context* context, const v1::WatchRunRequest* request,
                        grpc::ServerWriter<v1::RunEvent>* writer) override {
    v1::RunEvent event;
    event.mutable_progress()->set_phase("measure");
    event.mutable_progress()->set_done(7);
    writer->Write(event);
    std::unique_lock lock(mutex_);
    while (!is_stopping_ && !context->IsCancelled() && script_.attempts.contains(request->attempt_id())) {
      changed_.wait_for(lock, std::chrono::milliseconds(20));
    }
    return grpc::Status::OK;
  }
  grpc::Status FetchResult(Context*, const v1::FetchRequest* request, grpc::ServerWriter<v1::Chunk>* writer) override {
    const std::lock_guard lock(mutex_);
    const auto report = script_.reports.find(request->attempt_id());
    if (report == script_.reports.end()) return ToGrpcStatus(NotFound("no such report"));
    // In two chunks.
    const std::string bytes = sends_wrong_bytes_ ? report->second + "x" : report->second;
    for (const std::string& part : {bytes.substr(0, 10), bytes.substr(10)}) {
      v1::Chunk chunk;
      chunk.set_data(part);
      writer->Write(chunk);
    }
    return grpc::Status::OK;
  }
  grpc::Status FetchLog(Context*, const v1::FetchRequest*, grpc::ServerWriter<v1::Chunk>* writer) override {
    v1::Chunk chunk;
    chunk.set_data("a line so far\n");
    writer->Write(chunk);
    return grpc::Status::OK;
  }

 private:
  void Change() {
    ++script_.revision;
    changed_.notify_all();
  }

  ScriptedAgent script_{"lab"};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_stopping_ = false;
  bool holds_ = false;
  bool sends_wrong_bytes_ = false;
  std::unique_ptr<GrpcServer> server_;
};

class ServiceTest : public testing::Test {
 protected:
  ServiceTest() {
    std::string name = testing::TempDir() + "service_XXXXXX";
    settings_.state_dir = mkdtemp(name.data());
    settings_.min_free_mb = 0;
    Start();
  }
  ~ServiceTest() override {
    Stop();
    std::filesystem::remove_all(settings_.state_dir);
  }
  void Start() {
    coordinator_ = std::move(Coordinator::Start(settings_, references_, MakeDispatcher(false), &RealClock())).value();
    service_ = MakeCoordinatorService(coordinator_.get());
    server_ = std::move(GrpcServer::Start({"127.0.0.1:0", "", false}, {service_.get()})).value();
    stub_ = v1::CoordinatorService::NewStub(std::move(Dial(server_->address(), false, "test")).value());
  }
  void Stop() {
    coordinator_->Stop();
    server_.reset();
    service_.reset();
    coordinator_.reset();
  }
  template <typename Method, typename Request, typename Response>
  Status Call(Method method, const Request& request, Response* response) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    return FromGrpcStatus((stub_.get()->*method)(&context, request, response));
  }
  void Join(const LoopbackAgent& agent) {
    v1::RegisterRequest request;
    request.set_advertised_address(agent.address());
    *request.mutable_description() = agent.description();
    v1::RegisterResponse response;
    const Status status = Call(&v1::CoordinatorService::Stub::Register, request, &response);
    ASSERT_TRUE(status.ok()) << status.ToString();
    EXPECT_EQ(response.agent_name(), "lab");
  }
  std::string Submit() {
    v1::SubmitResponse response;
    const Status status = Call(&v1::CoordinatorService::Stub::Submit, CoreHarness::Request("lab"), &response);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return response.run_ids_size() == 0 ? "" : response.run_ids(0);
  }
  // Every update until the run has ended, or `until` says that it is enough.
  std::vector<v1::RunUpdate> Watch(const std::string& id, const std::function<bool(const v1::RunUpdate&)>& until = {}) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    v1::WatchRunsRequest request;
    request.add_ids(id);
    const auto reader = stub_->WatchRuns(&context, request);
    std::vector<v1::RunUpdate> updates;
    for (v1::RunUpdate update; reader->Read(&update);) {
      updates.push_back(update);
      if (until && until(update)) context.TryCancel();
    }
    const grpc::Status status = reader->Finish();
    EXPECT_TRUE(status.ok() || status.error_code() == grpc::StatusCode::CANCELLED) << status.error_message();
    return updates;
  }

  CoordinatorSettings settings_;
  std::vector<Reference> references_;
  std::unique_ptr<Coordinator> coordinator_;
  std::unique_ptr<grpc::Service> service_;
  std::unique_ptr<GrpcServer> server_;
  std::unique_ptr<v1::CoordinatorService::Stub> stub_;
};

TEST_F(ServiceTest, ARunGoesTheWholeWay) {
  LoopbackAgent agent;
  Join(agent);
  const std::string run_id = Submit();
  const std::vector<v1::RunUpdate> updates = Watch(run_id);
  ASSERT_FALSE(updates.empty());
  EXPECT_EQ(updates.back().run().state(), "succeeded");
  EXPECT_TRUE(agent.WaitUntilAcknowledged());

  v1::GetRunRequest get;
  get.set_run_id(run_id.substr(0, 6));
  v1::RunInfo run;
  ASSERT_TRUE(Call(&v1::CoordinatorService::Stub::GetRun, get, &run).ok());
  EXPECT_EQ(run.result().metrics(0).value(), 100);

  v1::LeaderboardRequest ask;
  ask.set_workload("tensor_add");
  v1::Leaderboard board;
  ASSERT_TRUE(Call(&v1::CoordinatorService::Stub::GetLeaderboard, ask, &board).ok());
  ASSERT_EQ(board.rows_size(), 1);
  EXPECT_EQ(board.rows(0).run_id(), run_id);
  EXPECT_EQ(board.parameters().at("n"), "12288");
}

TEST_F(ServiceTest, ABackupIsTheStoreAndCanBeServedFromOnceItWasRestored) {
  LoopbackAgent agent;
  Join(agent);
  const std::string run_id = Submit();
  Watch(run_id);
  grpc::ClientContext context;
  const auto reader = stub_->Backup(&context, v1::BackupRequest());
  std::string bytes;
  v1::Chunk last;
  while (reader->Read(&last)) bytes += last.data();
  ASSERT_TRUE(reader->Finish().ok());
  EXPECT_EQ(last.sha256(), Sha256Hex(bytes));
  EXPECT_EQ(last.total_bytes(), static_cast<double>(bytes.size()));
  EXPECT_FALSE(std::filesystem::exists(settings_.state_dir / "coordinator.db.backup"));

  Stop();
  const std::filesystem::path file = settings_.state_dir / "file";
  ASSERT_TRUE(WriteFileAtomically(file, bytes).ok());
  for (const char* name : {"coordinator.db", "coordinator.db-wal", "coordinator.db-shm"}) {
    std::filesystem::remove(settings_.state_dir / name);
  }
  ASSERT_TRUE(RestoreStore(file, settings_.state_dir, RealClock().Now().unix_s()).ok());
  Start();
  const auto updates = Watch(run_id);
  ASSERT_FALSE(updates.empty());
  EXPECT_EQ(updates.back().run().state(), "succeeded");
}

TEST_F(ServiceTest, ListsWhatWasPublishedOfAWorkloadOrOfAll) {
  Stop();
  references_.resize(2);
  references_[0].workload = "tensor_add";
  references_[1].workload = "mnist_cnn";
  references_[1].value = 458;
  Start();
  v1::ListReferencesResponse list;
  ASSERT_TRUE(Call(&v1::CoordinatorService::Stub::ListReferences, v1::ListReferencesRequest(), &list).ok());
  EXPECT_EQ(list.references_size(), 2);
  v1::ListReferencesRequest request;
  request.set_workload("mnist_cnn");
  ASSERT_TRUE(Call(&v1::CoordinatorService::Stub::ListReferences, request, &list).ok());
  ASSERT_EQ(list.references_size(), 1);
  EXPECT_EQ(list.references(0).value(), 458);
}

TEST_F(ServiceTest, EverythingIsThereAfterARestart) {
  LoopbackAgent agent;
  Join(agent);
  const std::string run_id = Submit();
  Watch(run_id);
  Stop();
  Start();
  const std::vector<v1::RunUpdate> updates = Watch(run_id);
  ASSERT_FALSE(updates.empty());
  EXPECT_EQ(updates.back().run().state(), "succeeded");
  EXPECT_NE(Submit(), "") << "the agent was called again by itself";
}

TEST_F(ServiceTest, BytesWithAnotherHashAreNotStored) {
  LoopbackAgent agent;
  agent.SendWrongBytes(true);
  Join(agent);
  const std::string run_id = Submit();
  Watch(run_id, [](const v1::RunUpdate& update) {
    return update.run().attempts_size() > 0 && update.run().attempts(0).state() == "result_ready";
  });
  agent.SendWrongBytes(false);
  EXPECT_EQ(Watch(run_id).back().run().state(), "succeeded");
}

TEST_F(ServiceTest, ProgressAndLogOfARunThatRunsComeFromItsAgent) {
  LoopbackAgent agent;
  agent.HoldRuns();
  Join(agent);
  const std::string run_id = Submit();
  const auto updates = Watch(run_id, [](const v1::RunUpdate& update) { return update.has_progress(); });
  ASSERT_TRUE(updates.back().has_progress());
  EXPECT_EQ(updates.back().progress().done(), 7);

  v1::GetLogRequest request;
  request.set_run_id(run_id);
  grpc::ClientContext context;
  const auto reader = stub_->GetLog(&context, request);
  v1::Chunk chunk;
  ASSERT_TRUE(reader->Read(&chunk));
  EXPECT_EQ(chunk.data(), "a line so far\n");
  while (reader->Read(&chunk)) continue;
  EXPECT_TRUE(reader->Finish().ok());

  v1::CancelRequest cancel;
  cancel.add_ids(run_id);
  v1::CancelResponse cancelled;
  ASSERT_TRUE(Call(&v1::CoordinatorService::Stub::Cancel, cancel, &cancelled).ok());
  EXPECT_EQ(Watch(run_id).back().run().state(), "cancelled");
}

TEST_F(ServiceTest, AnErrorArrivesWithItsHint) {
  LoopbackAgent agent;
  Join(agent);
  v1::SubmitRequest request = CoreHarness::Request("lab");
  request.set_workload("tensor_ad");
  v1::SubmitResponse response;
  const Status status = Call(&v1::CoordinatorService::Stub::Submit, request, &response);
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_EQ(status.kind(), "unknown_workload");
  EXPECT_THAT(status.hint(), HasSubstr("tensor_add"));
}

TEST_F(ServiceTest, WhatOnlyANewerCommandLineCanAskForIsRefusedAndNotLeftOut) {
  LoopbackAgent agent;
  Join(agent);
  v1::SubmitRequest request = CoreHarness::Request("lab");
  request.GetReflection()->MutableUnknownFields(&request)->AddVarint(1000, 1);
  v1::SubmitResponse response;
  const Status status = Call(&v1::CoordinatorService::Stub::Submit, request, &response);
  EXPECT_EQ(status.kind(), "unsupported");
  EXPECT_THAT(status.message(), HasSubstr("field 1000"));
  EXPECT_EQ(status.hint(), "upgrade the coordinator");
}

TEST_F(ServiceTest, StopsWithLongPollsAndWatchersOutstanding) {
  LoopbackAgent agent;
  agent.HoldRuns();
  Join(agent);
  const std::string run_id = Submit();
  Watch(run_id, [&](const v1::RunUpdate& update) {
    if (update.run().state() != "running") return false;
    coordinator_->Stop();
    return true;
  });
  server_->Shutdown();  // the test's time limit is what it must not reach
}

}  // namespace
}  // namespace fleetmark
