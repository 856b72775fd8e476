#include "coordinator/coordinator_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <future>
#include <thread>

#include "coordinator/coordinator.h"
#include "coordinator/sqlite_store.h"
#include "tests/unit/coordinator/core_harness.h"

namespace fleetmark {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

// Agents that are described when asked, answer each Sync but park the long polls, and remember what they were sent.
class RecordingCalls : public AgentCalls {
 public:
  void Perform(const Call& call, std::function<void(Event)> done) override {
    if (const auto* describe = std::get_if<DescribeCall>(&call)) {
      done(Described{describe->call, OkStatus(), agent_.description});
    } else if (const auto* sync = std::get_if<SyncCall>(&call); sync != nullptr && !(sync->request.wait_s() > 0)) {
      v1::SyncResponse response;
      response.set_boot_id("boot");
      response.set_boottime_ns(1);
      response.set_incarnation(agent_.description.incarnation());
      response.set_process_id(agent_.description.process_id());
      response.set_revision(1);
      done(Synced{sync->call, sync->agent_id, OkStatus(), response});
    } else if (std::holds_alternative<OrderCall>(call)) {
      const std::lock_guard lock(mutex_);
      ++orders_;
      arrived_.notify_all();
    }
  }
  void CancelAll() override {}
  std::unique_ptr<Stream> WatchRun(const std::string&, const std::string&,
                                   std::function<void(const v1::RunEvent&)>) override {
    return nullptr;
  }
  Status FetchLog(const std::string&, const std::string&, const std::function<bool(const v1::Chunk&)>&) override {
    return NotFound("no log");
  }

  bool WaitForOrder() {
    std::unique_lock lock(mutex_);
    return arrived_.wait_for(lock, std::chrono::seconds(20), [&] { return orders_ > 0; });
  }
  int orders() {
    const std::lock_guard lock(mutex_);
    return orders_;
  }
  const ScriptedAgent& agent() const { return agent_; }

 private:
  const ScriptedAgent agent_{"lab"};
  std::mutex mutex_;
  std::condition_variable arrived_;
  int orders_ = 0;
};

// A store whose disk can be full.
class FullStore : public Store {
 public:
  explicit FullStore(std::unique_ptr<Store> store) : store_(std::move(store)) {}
  StatusOr<Epoch> BeginEpoch(double lease_s) override { return store_->BeginEpoch(lease_s); }
  StatusOr<StoredState> Load() override { return store_->Load(); }
  Status Commit(const std::vector<Write>& writes) override {
    if (is_full) return ResourceExhausted("the disk is full", "free some space", "disk_full");
    return store_->Commit(writes);
  }
  StatusOr<std::optional<v1::SubmitResponse>> FindSubmission(const std::string& request_id) override {
    return store_->FindSubmission(request_id);
  }
  StatusOr<std::optional<AttemptRecord>> FindAttempt(const std::string& attempt_id) override {
    return store_->FindAttempt(attempt_id);
  }
  int SchemaVersion() const override { return store_->SchemaVersion(); }

  std::atomic<bool> is_full = false;

 private:
  std::unique_ptr<Store> store_;
};

class CoordinatorLoopTest : public testing::Test {
 protected:
  CoordinatorLoopTest() : store_(std::move(OpenSqliteStore(MakeDirectory() / "coordinator.db")).value()) {
    CoordinatorLoop::Options options;
    options.core.epoch = *store_.BeginEpoch(60);
    options.core.instance_id = "instance";
    options.state_dir = directory_;
    loop_ = std::make_unique<CoordinatorLoop>(options, &store_, &calls_, &watch_, &RealClock());
  }
  ~CoordinatorLoopTest() override {
    loop_.reset();
    std::filesystem::remove_all(directory_);
  }
  std::filesystem::path MakeDirectory() {
    std::string name = testing::TempDir() + "loop_XXXXXX";
    return directory_ = mkdtemp(name.data());
  }
  void StartWithAgent() {
    ASSERT_TRUE(loop_->Start().ok());
    AddAgentAsked asked;
    asked.address = calls_.agent().address;
    const Status status = loop_->Ask(asked).status;
    ASSERT_TRUE(status.ok()) << status.ToString();
  }
  Reply Submit(const v1::SubmitRequest& request) {
    SubmitAsked asked;
    asked.request = request;
    return loop_->Ask(asked);
  }

  std::filesystem::path directory_;
  FullStore store_;
  RecordingCalls calls_;
  RunWatch watch_;
  std::unique_ptr<CoordinatorLoop> loop_;
};

TEST_F(CoordinatorLoopTest, ASubmitThatIsAnsweredIsStoredAndSent) {
  StartWithAgent();
  const Reply reply = Submit(CoreHarness::Request("lab"));
  ASSERT_TRUE(reply.status.ok()) << reply.status.ToString();
  EXPECT_TRUE(calls_.WaitForOrder());
  EXPECT_THAT(store_.Load()->runs, SizeIs(1));
}

TEST_F(CoordinatorLoopTest, WhenTheCommitFailsNothingLeavesAndTheCallerLearnsWhy) {
  StartWithAgent();
  store_.is_full = true;
  const Reply reply = Submit(CoreHarness::Request("lab"));
  EXPECT_EQ(reply.status.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(reply.status.kind(), "disk_full");
  EXPECT_EQ(calls_.orders(), 0);
  store_.is_full = false;
  bool knows_runs = true;
  loop_->View(
      [&](const CoordinatorCore& core, Moment now) { knows_runs = core.Agents(now).agents(0).queued_runs() > 0; });
  EXPECT_FALSE(knows_runs) << "the core is what is stored";
  EXPECT_TRUE(Submit(CoreHarness::Request("lab")).status.ok());
  EXPECT_TRUE(calls_.WaitForOrder());
}

// Somebody who looks without a pause, while every commit fails.
TEST_F(CoordinatorLoopTest, NobodySeesWhatIsNotStored) {
  StartWithAgent();
  store_.is_full = true;
  std::atomic<bool> is_over = false;
  std::atomic<int> looks = 0, sightings = 0;
  std::thread watcher([&] {
    while (!is_over) {
      loop_->View([&](const CoordinatorCore& core, Moment now) {
        const v1::AgentInfo agent = core.Agents(now).agents(0);
        sightings += agent.queued_runs() + (agent.running_run_id().empty() ? 0 : 1);
        ++looks;
      });
    }
  });
  constexpr int kRounds = 3;  // each takes the pause after which a core is built anew
  for (int round = 0; round < kRounds; ++round) {
    EXPECT_FALSE(Submit(CoreHarness::Request("lab")).status.ok());
  }
  is_over = true;
  watcher.join();
  EXPECT_GT(looks, 0);
  EXPECT_EQ(sightings, 0);
}

TEST_F(CoordinatorLoopTest, TheSameRequestIdIsOneJob) {
  StartWithAgent();
  const v1::SubmitRequest request = CoreHarness::Request("lab");
  const Reply first = Submit(request);
  const Reply second = Submit(request);
  ASSERT_TRUE(second.status.ok()) << second.status.ToString();
  EXPECT_EQ(first.submitted.job_id(), second.submitted.job_id());
  EXPECT_EQ(first.submitted.run_ids(0), second.submitted.run_ids(0));
  EXPECT_THAT(store_.Load()->runs, SizeIs(1));
}

// The store cannot know the first one yet when both are taken in one batch.
TEST_F(CoordinatorLoopTest, TheSameRequestIdAtTheSameMomentIsOneJob) {
  StartWithAgent();
  constexpr int kRounds = 50;
  for (int round = 0; round < kRounds; ++round) {
    v1::SubmitRequest request = CoreHarness::Request("lab");
    request.set_request_id("round " + std::to_string(round));
    auto first = std::async(std::launch::async, [&] { return Submit(request); });
    auto second = std::async(std::launch::async, [&] { return Submit(request); });
    const Reply a = first.get(), b = second.get();
    ASSERT_TRUE(a.status.ok() && b.status.ok()) << a.status.ToString() << b.status.ToString();
    ASSERT_EQ(a.submitted.job_id(), b.submitted.job_id());
  }
  EXPECT_THAT(store_.Load()->runs, SizeIs(kRounds));
}

TEST_F(CoordinatorLoopTest, WhoeverWaitsWhenItStopsIsTold) {
  StartWithAgent();
  loop_->Stop();
  const Reply reply = Submit(CoreHarness::Request("lab"));
  EXPECT_EQ(reply.status.code(), StatusCode::kUnavailable);
  EXPECT_FALSE(loop_->View([](const CoordinatorCore&, Moment) {}));
}

class CoordinatorTest : public testing::Test {
 protected:
  ~CoordinatorTest() override { std::filesystem::remove_all(settings_.state_dir); }
  static CoordinatorSettings MakeSettings() {
    std::string name = testing::TempDir() + "full_XXXXXX";
    CoordinatorSettings settings;
    settings.state_dir = mkdtemp(name.data());
    return settings;
  }
  CoordinatorSettings settings_ = MakeSettings();
};

TEST_F(CoordinatorTest, NewJobsAreRefusedByName) {
  settings_.min_free_mb = 1e12;
  auto coordinator = Coordinator::Start(settings_, {}, std::make_unique<RecordingCalls>(), &RealClock());
  ASSERT_TRUE(coordinator.ok()) << coordinator.status().ToString();
  SubmitAsked asked;
  asked.request = CoreHarness::Request();
  const Reply reply = (*coordinator)->loop().Ask(asked);
  EXPECT_EQ(reply.status.kind(), "disk_full");
  EXPECT_THAT(reply.status.message(), HasSubstr(settings_.state_dir.string()));
}

TEST_F(CoordinatorTest, ASecondCoordinatorOnOneDirectoryIsRefused) {
  auto first = Coordinator::Start(settings_, {}, std::make_unique<RecordingCalls>(), &RealClock());
  ASSERT_TRUE(first.ok());
  auto second = Coordinator::Start(settings_, {}, std::make_unique<RecordingCalls>(), &RealClock());
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(second.status().hint(), HasSubstr("--state-dir"));
}

TEST(SqliteStoreFull, ACommitThatDoesNotFitLeavesTheStoreAsItWas) {
  std::string name = testing::TempDir() + "pages_XXXXXX";
  const std::filesystem::path directory = mkdtemp(name.data());
  {
    const auto store = std::move(OpenSqliteStore(directory / "coordinator.db")).value();
    KeepReport small{"attempt", "hash", std::string(100, 'x'), "conflict", 1};
    ASSERT_TRUE(store->Commit({small}).ok());
    // A limit on the size of files is what a full disk looks like to SQLite.
    KeepReport large{"attempt 2", "hash", std::string(1 << 20, 'x'), "conflict", 1};
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    rlimit limit = before;
    limit.rlim_cur = 512 << 10;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    const Status status = store->Commit({large});
    setrlimit(RLIMIT_FSIZE, &before);
    EXPECT_EQ(status.kind(), "disk_full") << status.ToString();
    EXPECT_TRUE(store->Commit({KeepReport{"attempt 3", "hash", "x", "conflict", 1}}).ok());
  }
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace fleetmark
