#include "tests/unit/coordinator/store_conformance.h"

#include <gmock/gmock.h>

#include <cmath>

#include "common/sha256.h"

namespace fleetmark {

using testing::ElementsAre;
using testing::HasSubstr;

void StoreConformance::SetUp() {
  place_ = GetParam()();
  store_ = place_->OpenStore();
  reader_ = place_->OpenReader();
  AgentRecord agent;
  agent.agent_id = "agent-1";
  agent.address = "127.0.0.1:7810";
  agent.description.set_agent_id("agent-1");
  agent.description.set_name("lab-3");
  Runtimes runtimes;
  runtimes.Add()->set_name("libtorch");
  agent.runtimes = ShareRuntimes(runtimes);
  ASSERT_TRUE(store_->Commit({PutAgent{agent}}).ok());
}

void StoreConformance::Reopen() {
  reader_.reset();
  store_.reset();
  store_ = place_->OpenStore();
  reader_ = place_->OpenReader();
}

v1::SubmitRequest StoreConformance::DefaultRequest() {
  v1::SubmitRequest request;
  request.set_workload("tensor_add");
  request.set_runtime("libtorch");
  request.set_profile("stock");
  (*request.mutable_parameters())["n"] = "256";
  return request;
}

RunRecord StoreConformance::MakeRun(const std::string& job_id, int repetition, const v1::SubmitRequest& request) const {
  RunRecord run;
  run.run_id = job_id + "-run-" + std::to_string(repetition);
  run.job_id = job_id;
  run.repetition = repetition;
  run.target_agent_id = "agent-1";
  run.agent_id = "agent-1";
  run.spec.set_workload(request.workload());
  run.spec.set_workload_version(1);
  run.spec.set_runtime(request.runtime());
  run.spec.set_profile(request.profile());
  run.spec.set_device("cpu");
  *run.spec.mutable_parameters() = request.parameters();
  run.device_kind = "cpu";
  run.board = "n=256";
  return run;
}

void StoreConformance::PutJobWithRuns(const std::string& job_id, int runs, const v1::SubmitRequest& request) {
  JobRecord job;
  job.job_id = job_id;
  job.sequence = next_sequence_++;
  job.request = request;
  job.request.set_request_id("request of " + job_id);
  job.submitted_unix_s = 1000.0 + static_cast<double>(job.sequence);
  std::vector<Write> writes{PutJob{job, {request.parameters().begin(), request.parameters().end()}}};
  for (int i = 1; i <= runs; ++i) writes.push_back(PutRun{MakeRun(job_id, i, request)});
  const Status status = store_->Commit(writes);
  ASSERT_TRUE(status.ok()) << status.ToString();
}

AttemptRecord StoreConformance::MakeAttempt(const std::string& run_id, int number) {
  AttemptRecord attempt;
  attempt.attempt_id = run_id + "-attempt-" + std::to_string(number);
  attempt.run_id = run_id;
  attempt.number = number;
  attempt.agent_id = "agent-1";
  attempt.incarnation = "first";
  attempt.start_by.set_boot_id("boot");
  attempt.start_by.set_boottime_ns(77);
  return attempt;
}

PutReport StoreConformance::MakeReport(const std::string& run_id, const std::string& attempt_id, double it_per_s) {
  auto report = std::make_shared<v1::AttemptReport>();
  report->set_run_id(run_id);
  report->set_attempt_id(attempt_id);
  report->set_outcome("succeeded");
  v1::Result* result = report->mutable_result();
  result->set_primary_metric("it_per_s");
  v1::Metric* metric = result->add_metrics();
  metric->set_name("it_per_s");
  metric->set_unit("it/s");
  metric->set_value(it_per_s);
  metric->set_n(3);
  metric->set_ci_low(it_per_s - 1);
  metric->set_ci_high(it_per_s + 1);
  result->add_samples()->add_values(0.25);
  result->mutable_telemetry()->add_at_s(0.5);
  result->mutable_verdict()->set_kind("UNCHECKED");
  result->mutable_environment()->set_runtime_version("2.13.0");
  result->mutable_environment()->mutable_device()->set_model("Zen 5");
  PutReport write;
  write.attempt_id = attempt_id;
  write.run_id = run_id;
  write.bytes = report->SerializeAsString();
  write.sha256 = Sha256Hex(write.bytes);
  write.report = report;
  write.is_canonical = true;
  write.log = "step 1\n";
  write.received_unix_s = 2000;
  return write;
}

void StoreConformance::Finish(const std::string& job_id, int repetition, double it_per_s, double finished_unix_s) {
  Finish(MakeRun(job_id, repetition, DefaultRequest()), it_per_s, finished_unix_s);
}

void StoreConformance::Finish(RunRecord run, double it_per_s, double finished_unix_s) {
  run.state = RunState::kSucceeded;
  run.finished_unix_s = finished_unix_s;
  AttemptRecord attempt = MakeAttempt(run.run_id, 1);
  attempt.state = AttemptState::kStored;
  attempt.outcome = "succeeded";
  const Status status =
      store_->Commit({PutRun{run}, PutAttempt{attempt}, MakeReport(run.run_id, attempt.attempt_id, it_per_s)});
  ASSERT_TRUE(status.ok()) << status.ToString();
}

TEST_P(StoreConformance, EpochsGrowAndTheClusterStays) {
  const auto first = store_->BeginEpoch(30);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->coordinator_epoch, 1);
  EXPECT_EQ(first->previous_lease_s, 0);
  Reopen();
  EXPECT_EQ(store_->BeginEpoch(10)->previous_lease_s, 30);
  const auto third = store_->BeginEpoch(10);
  EXPECT_EQ(third->coordinator_epoch, 3);
  EXPECT_EQ(third->cluster_id, first->cluster_id);
  EXPECT_EQ(third->previous_lease_s, 30) << "a quick restart must not forget the longer lease";
  ASSERT_EQ(third->past.size(), 3u) << "each start is remembered, this one included";
  EXPECT_EQ(third->past[0].instance_id, first->instance_id);
  EXPECT_EQ(third->past[2].instance_id, third->instance_id);
  EXPECT_EQ(third->past[2].coordinator_epoch, 3);
  EXPECT_NE(first->instance_id, third->instance_id);
  EXPECT_EQ(third->restored_unix_s, 0);
}

TEST_P(StoreConformance, LoadsWhatHasNotEnded) {
  PutJobWithRuns("done", 1);
  Finish("done", 1, 70, 1500);
  PutJobWithRuns("open", 2);
  AttemptRecord refused = MakeAttempt("open-run-1", 1);
  refused.state = AttemptState::kRefused;
  AttemptRecord running = MakeAttempt("open-run-1", 2);
  running.state = AttemptState::kRunning;
  ASSERT_TRUE(store_->Commit({PutAttempt{refused}, PutAttempt{running}}).ok());
  Reopen();
  const auto state = store_->Load();
  ASSERT_TRUE(state.ok()) << state.status().ToString();
  ASSERT_EQ(state->agents.size(), 1u);
  EXPECT_EQ(state->agents[0].description.name(), "lab-3");
  ASSERT_EQ(state->agents[0].runtimes->size(), 1);
  EXPECT_EQ(state->agents[0].runtimes->Get(0).name(), "libtorch");
  ASSERT_EQ(state->jobs.size(), 1u);
  EXPECT_EQ(state->jobs[0].job_id, "open");
  ASSERT_EQ(state->runs.size(), 2u);
  EXPECT_EQ(state->runs[0].run_id, "open-run-1");
  EXPECT_EQ(state->runs[0].spec.parameters().at("n"), "256");
  ASSERT_EQ(state->attempts.size(), 1u);
  EXPECT_EQ(state->attempts[0].attempt_id, running.attempt_id);
  EXPECT_EQ(state->attempts[0].start_by.boottime_ns(), 77);
  EXPECT_EQ(state->next_job_sequence, 3);
}

TEST_P(StoreConformance, ACommitIsAllOrNothing) {
  PutJobWithRuns("job", 1);
  RunRecord changed = MakeRun("job", 1, DefaultRequest());
  changed.state = RunState::kRunning;
  // The attempt belongs to no run.
  EXPECT_FALSE(store_->Commit({PutRun{changed}, PutAttempt{MakeAttempt("nobody", 1)}}).ok());
  EXPECT_EQ(reader_->GetRun("job-run-1", ResultDetail::kNone)->state(), "queued");
  EXPECT_TRUE(store_->Commit({PutRun{changed}}).ok()) << "a failed commit must not hinder the next";
  EXPECT_EQ(reader_->GetRun("job-run-1", ResultDetail::kNone)->state(), "running");
}

TEST_P(StoreConformance, ARowThatACommitWritesSeveralTimesIsAsItIsInTheEnd) {
  JobRecord job;
  job.job_id = "job";
  job.sequence = 1;
  job.request = DefaultRequest();
  RunRecord run = MakeRun("job", 1, job.request);
  AttemptRecord attempt = MakeAttempt(run.run_id, 1);
  std::vector<Write> writes{PutJob{job, {}}, PutRun{run}};
  run.state = RunState::kRunning;
  writes.insert(writes.end(), {PutRun{run}, PutAttempt{attempt}, MakeReport(run.run_id, attempt.attempt_id, 70)});
  run.state = RunState::kSucceeded;
  run.attempts = 1;
  attempt.state = AttemptState::kStored;
  attempt.outcome = "succeeded";
  writes.insert(writes.end(), {PutAttempt{attempt}, PutRun{run}});
  const Status status = store_->Commit(writes);
  ASSERT_TRUE(status.ok()) << status.ToString();
  Reopen();
  const v1::RunInfo info = *reader_->GetRun(run.run_id, ResultDetail::kBrief);
  EXPECT_EQ(info.state(), "succeeded");
  ASSERT_EQ(info.attempts_size(), 1);
  EXPECT_EQ(info.attempts(0).state(), "stored");
  EXPECT_TRUE(info.has_result());
}

TEST_P(StoreConformance, AResultNeverChanges) {
  PutJobWithRuns("job", 1);
  Finish("job", 1, 70, 1500);
  PutReport same = MakeReport("job-run-1", "job-run-1-attempt-1", 70);
  EXPECT_TRUE(store_->Commit({same}).ok()) << "the same bytes twice are fine";
  EXPECT_FALSE(store_->Commit({MakeReport("job-run-1", "job-run-1-attempt-1", 71)}).ok());
  AttemptRecord second = MakeAttempt("job-run-1", 2);
  ASSERT_TRUE(store_->Commit({PutAttempt{second}}).ok());
  EXPECT_FALSE(store_->Commit({MakeReport("job-run-1", second.attempt_id, 72)}).ok()) << "a second canonical one";
  PutReport beside = MakeReport("job-run-1", second.attempt_id, 72);
  beside.is_canonical = false;
  EXPECT_TRUE(store_->Commit({beside}).ok());
  const auto run = reader_->GetRun("job-run-1", ResultDetail::kComplete);
  ASSERT_TRUE(run.ok());
  EXPECT_EQ(run->result().metrics(0).value(), 70);
}

TEST_P(StoreConformance, KeepsConflictsOnceAndCountsThem) {
  PutJobWithRuns("job", 1);
  Finish("job", 1, 70, 1500);
  const KeepReport conflict{"job-run-1-attempt-1", "other", "bytes", "conflict", 1600};
  EXPECT_TRUE(store_->Commit({conflict}).ok());
  EXPECT_TRUE(store_->Commit({conflict}).ok());
  EXPECT_TRUE(store_->Commit({KeepReport{"unheard of", "x", "bytes", "unknown_attempt", 1600}}).ok());
  EXPECT_EQ(reader_->GetRun("job-run-1", ResultDetail::kNone)->attempts(0).conflicts(), 1);
}

TEST_P(StoreConformance, ShowsARunWithAsMuchAsIsAskedFor) {
  PutJobWithRuns("job", 1);
  Finish("job", 1, 70, 1500);
  EXPECT_FALSE(reader_->GetRun("job-run-1", ResultDetail::kNone)->has_result());
  const auto brief = reader_->GetRun("job-run-1", ResultDetail::kBrief);
  EXPECT_EQ(brief->result().samples_size(), 0);
  EXPECT_FALSE(brief->result().has_telemetry());
  EXPECT_EQ(brief->result().metrics_size(), 1);
  const auto run = reader_->GetRun("job-run-1", ResultDetail::kComplete);
  ASSERT_TRUE(run.ok());
  EXPECT_EQ(run->result().samples(0).values(0), 0.25);
  EXPECT_EQ(run->result().telemetry().at_s(0), 0.5);
  EXPECT_EQ(run->agent(), "lab-3");
  EXPECT_EQ(run->state(), "succeeded");
  EXPECT_EQ(run->attempts(0).state(), "stored");
  EXPECT_EQ(reader_->GetRun("missing", ResultDetail::kNone).status().code(), StatusCode::kNotFound);
}

TEST_P(StoreConformance, ANumberThatIsNoneIsKeptInTheReportAlone) {
  PutJobWithRuns("job", 1);
  RunRecord run = MakeRun("job", 1, DefaultRequest());
  run.state = RunState::kSucceeded;
  const AttemptRecord attempt = MakeAttempt(run.run_id, 1);
  const Status status =
      store_->Commit({PutRun{run}, PutAttempt{attempt}, MakeReport(run.run_id, attempt.attempt_id, std::nan(""))});
  ASSERT_TRUE(status.ok()) << status.ToString();
  EXPECT_TRUE(std::isnan(reader_->GetRun(run.run_id, ResultDetail::kBrief)->result().metrics(0).value()));
}

TEST_P(StoreConformance, FiltersByEverythingARunIsKnownBy) {
  PutJobWithRuns("a", 1);
  Finish("a", 1, 70, 1500);
  v1::SubmitRequest other = DefaultRequest();
  other.set_workload("mnist_cnn");
  other.set_profile("tuned");
  (*other.mutable_parameters())["n"] = "512";
  PutJobWithRuns("b", 2, other);
  const auto count = [&](const std::function<void(v1::RunFilter*)>& set) {
    v1::RunFilter filter;
    set(&filter);
    const auto runs = reader_->ListRuns(filter, 0, ResultDetail::kNone);
    return runs.ok() ? static_cast<int>(runs->size()) : -1;
  };
  EXPECT_EQ(count([](v1::RunFilter*) {}), 3);
  EXPECT_EQ(count([](v1::RunFilter* f) { f->set_workload("mnist_cnn"); }), 2);
  EXPECT_EQ(count([](v1::RunFilter* f) { (*f->mutable_parameters())["n"] = "256"; }), 1);
  EXPECT_EQ(count([](v1::RunFilter* f) { f->set_agent("lab-3"); }), 3);
  EXPECT_EQ(count([](v1::RunFilter* f) { f->set_agent("lab-4"); }), 0);
  EXPECT_EQ(count([](v1::RunFilter* f) { f->set_device("cpu"); }), 3);
  EXPECT_EQ(count([](v1::RunFilter* f) { f->set_device("cuda"); }), 0);
  EXPECT_EQ(count([](v1::RunFilter* f) { f->set_runtime("libtorch"); }), 3);
  EXPECT_EQ(count([](v1::RunFilter* f) { f->set_profile("tuned"); }), 2);
  EXPECT_EQ(count([](v1::RunFilter* f) { f->set_state("succeeded"); }), 1);
  EXPECT_EQ(count([](v1::RunFilter* f) { f->set_verdict("UNCHECKED"); }), 1);
  EXPECT_EQ(count([](v1::RunFilter* f) { f->set_since_unix_s(1002); }), 2);
  EXPECT_EQ(count([](v1::RunFilter* f) { f->set_until_unix_s(1002); }), 1);
  EXPECT_EQ(count([](v1::RunFilter* f) { f->set_job_id("b"); }), 2);
  EXPECT_EQ(count([](v1::RunFilter* f) { f->set_workload("x' OR '1'='1"); }), 0);
  const auto newest = reader_->ListRuns({}, 1, ResultDetail::kNone);
  EXPECT_EQ(newest->front().run_id(), "b-run-2");
}

TEST_P(StoreConformance, VisitsAllInPagesOldestFirst) {
  PutJobWithRuns("a", 5);
  std::vector<std::string> seen;
  ASSERT_TRUE(reader_
                  ->VisitRuns({}, 2,
                              [&](const v1::RunInfo& run) {
                                seen.push_back(run.run_id());
                                return true;
                              })
                  .ok());
  EXPECT_THAT(seen, ElementsAre("a-run-1", "a-run-2", "a-run-3", "a-run-4", "a-run-5"));
  seen.clear();
  ASSERT_TRUE(reader_
                  ->VisitRuns({}, 2,
                              [&](const v1::RunInfo& run) {
                                seen.push_back(run.run_id());
                                return seen.size() < 3;
                              })
                  .ok());
  EXPECT_EQ(seen.size(), 3u);
  seen.clear();
  v1::RunFilter newest;
  newest.set_limit(2);
  ASSERT_TRUE(reader_
                  ->VisitRuns(newest, 1,
                              [&](const v1::RunInfo& run) {
                                seen.push_back(run.run_id());
                                return true;
                              })
                  .ok());
  EXPECT_THAT(seen, ElementsAre("a-run-4", "a-run-5"));
}

TEST_P(StoreConformance, ShortIdsAreGoodWhileTheyAreUnambiguous) {
  PutJobWithRuns("k3v8", 2);
  PutJobWithRuns("k3x1", 1);
  EXPECT_THAT(*reader_->ResolveRuns("k3v8-run-2"), ElementsAre("k3v8-run-2"));
  EXPECT_THAT(*reader_->ResolveRuns("k3x1-"), ElementsAre("k3x1-run-1"));
  EXPECT_EQ(*reader_->ResolveJob("k3x"), "k3x1");
  const auto ambiguous = reader_->ResolveJob("k3");
  EXPECT_EQ(ambiguous.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(ambiguous.status().hint(), HasSubstr("k3v8"));
  EXPECT_EQ(reader_->ResolveRun("zz").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(reader_->ResolveRun("").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(reader_->ResolveRun("%").status().code(), StatusCode::kNotFound);
}

TEST_P(StoreConformance, FindsASubmissionByItsRequestId) {
  PutJobWithRuns("job", 2);
  const auto found = store_->FindSubmission("request of job");
  ASSERT_TRUE(found.ok() && found->has_value());
  EXPECT_EQ((*found)->job_id(), "job");
  EXPECT_THAT((*found)->run_ids(), ElementsAre("job-run-1", "job-run-2"));
  EXPECT_FALSE(store_->FindSubmission("another")->has_value());
}

TEST_P(StoreConformance, ListsJobsWithTheStatesOfTheirRuns) {
  PutJobWithRuns("a", 1);
  Finish("a", 1, 70, 1500);
  PutJobWithRuns("b", 2);
  const auto jobs = reader_->ListJobs(0, false);
  ASSERT_TRUE(jobs.ok());
  ASSERT_EQ(jobs->size(), 2u);
  EXPECT_EQ((*jobs)[0].job_id(), "b");
  EXPECT_EQ((*jobs)[0].state(), "queued");
  EXPECT_EQ((*jobs)[0].runs_by_state().at("queued"), 2);
  EXPECT_EQ((*jobs)[1].state(), "succeeded");
  EXPECT_EQ(reader_->ListJobs(0, true)->size(), 1u);
  EXPECT_EQ(reader_->ListJobs(1, false)->size(), 1u);
}

TEST_P(StoreConformance, KeepsTunedProfilesByWhatTheyAreFor) {
  v1::TunedProfile profile;
  profile.set_agent_id("agent-1");
  profile.set_device_uuid("uuid");
  profile.set_runtime("libtorch");
  profile.set_workload("tensor_add");
  profile.set_workload_version(1);
  profile.set_board("n=256");
  (*profile.mutable_settings())["threads"] = "1";
  profile.add_tried()->set_name("threads=1");
  v1::TunedProfile other = profile;
  other.set_board("n=512");
  ASSERT_TRUE(store_->Commit({PutProfile{profile}, PutProfile{other}}).ok());
  (*profile.mutable_settings())["threads"] = "2";
  ASSERT_TRUE(store_->Commit({PutProfile{profile}}).ok());
  Reopen();
  const auto two = store_->Load();
  ASSERT_EQ(two->profiles.size(), 2u);
  const v1::TunedProfile& kept = two->profiles[two->profiles[0].board() == "n=256" ? 0 : 1];
  EXPECT_EQ(kept.SerializeAsString(), profile.SerializeAsString());
  ASSERT_TRUE(store_->Commit({DropProfile{KeyOf(profile)}, DropProfile{KeyOf(profile)}}).ok());
  const auto one = store_->Load();
  ASSERT_EQ(one->profiles.size(), 1u);
  EXPECT_EQ(one->profiles[0].board(), "n=512");
}

TEST_P(StoreConformance, KeepsWorkloadsAndLogs) {
  WorkloadRecord workload;
  workload.runtime = "libtorch";
  workload.spec.set_name("tensor_add");
  workload.spec.set_version(1);
  ASSERT_TRUE(store_->Commit({PutWorkload{workload}}).ok());
  workload.spec.set_doc("newer");
  ASSERT_TRUE(store_->Commit({PutWorkload{workload}}).ok());
  ASSERT_EQ(reader_->ListWorkloads()->size(), 1u);
  EXPECT_EQ(reader_->ListWorkloads()->front().spec.doc(), "newer");
  PutJobWithRuns("job", 1);
  EXPECT_FALSE(reader_->GetLog("job-run-1")->has_value());
  Finish("job", 1, 70, 1500);
  EXPECT_EQ((*reader_->GetLog("job-run-1"))->bytes, "step 1\n");
  EXPECT_TRUE((*store_->FindAttempt("job-run-1-attempt-1")).has_value());
  EXPECT_FALSE((*store_->FindAttempt("none")).has_value());
}

}  // namespace fleetmark
