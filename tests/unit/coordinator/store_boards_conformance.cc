#include <gmock/gmock.h>

#include "common/sha256.h"
#include "tests/unit/coordinator/store_conformance.h"

// What StoreReader answers about boards and histories.
namespace fleetmark {

using testing::ElementsAre;
using testing::ElementsAreArray;

static BoardQuery DefaultQuery() {
  BoardQuery query;
  query.workload = "tensor_add";
  query.workload_version = 1;
  query.board = "n=256";
  query.metric = "it_per_s";
  return query;
}

static std::vector<double> NumbersOf(const StatusOr<std::vector<BoardValue>>& found) {
  std::vector<double> numbers;
  EXPECT_TRUE(found.ok()) << found.status().ToString();
  if (!found.ok()) return numbers;
  for (const BoardValue& value : *found) numbers.push_back(value.value);
  return numbers;
}

TEST_P(StoreConformance, AnswersBoardsAndHistories) {
  PutJobWithRuns("a", 2);
  Finish("a", 1, 70, 1500);
  Finish("a", 2, 72, 1400);
  PutJobWithRuns("b", 1);
  Finish("b", 1, 90, 1600);
  BoardQuery query = DefaultQuery();
  const auto values = [&] { return NumbersOf(reader_->BoardValues(query)); };
  EXPECT_THAT(values(), ElementsAre(72, 70, 90));
  const BoardValue value = reader_->BoardValues(query)->front();
  EXPECT_EQ(value.agent, "lab-3");
  EXPECT_EQ(value.device_model, "Zen 5");
  EXPECT_EQ(value.runtime_version, "2.13.0");
  EXPECT_EQ(value.ci_low, 71);
  EXPECT_EQ(value.n, 3);
  EXPECT_EQ(value.verdict, "UNCHECKED");
  EXPECT_EQ(value.verdict_cause + value.verdict_reason, "");
  query.newest_job_only = true;
  EXPECT_THAT(values(), ElementsAre(90));
  JobRecord by_hand;
  by_hand.job_id = "c";
  by_hand.sequence = next_sequence_++;
  by_hand.request = DefaultRequest();
  by_hand.request.set_request_id("request of c");
  RunRecord overriding = MakeRun("c", 1, by_hand.request);
  overriding.overrides = "threads=1";
  ASSERT_TRUE(store_->Commit({PutJob{by_hand, {}}, PutRun{overriding}}).ok());
  Finish("c", 1, 60, 1700);
  EXPECT_THAT(values(), ElementsAre(90, 60)) << "what overrides its profile does not take the profile's place";
  query.newest_job_only = false;
  query.since_unix_s = 1450;
  query.until_unix_s = 1550;
  EXPECT_THAT(values(), ElementsAre(70));
  query.agent = "lab-4";
  EXPECT_THAT(values(), ElementsAre());
  EXPECT_THAT(*reader_->Boards("tensor_add", 1), ElementsAre("n=256"));
  EXPECT_TRUE(reader_->Boards("tensor_add", 2)->empty());
}

TEST_P(StoreConformance, BoardsSayWhyAResultIsFlagged) {
  v1::SubmitRequest request = DefaultRequest();
  request.set_telemetry("alternating");
  PutJobWithRuns("a", 1, request);
  RunRecord run = MakeRun("a", 1, request);
  run.state = RunState::kSucceeded;
  const AttemptRecord attempt = MakeAttempt(run.run_id, 1);
  PutReport write = MakeReport(run.run_id, attempt.attempt_id, 70);
  auto report = std::make_shared<v1::AttemptReport>(*write.report);
  v1::Verdict* verdict = report->mutable_result()->mutable_verdict();
  verdict->set_kind("THROTTLED");
  verdict->set_cause("heat");
  verdict->add_evidence("the GPU slowed itself down");
  verdict->add_evidence("in order: nothing else");
  write.bytes = report->SerializeAsString();
  write.sha256 = Sha256Hex(write.bytes);
  write.report = report;
  ASSERT_TRUE(store_->Commit({PutRun{run}, PutAttempt{attempt}, write}).ok());
  Reopen();
  const BoardValue value = reader_->BoardValues(DefaultQuery())->front();
  EXPECT_EQ(value.verdict, "THROTTLED");
  EXPECT_EQ(value.verdict_cause, "heat");
  EXPECT_EQ(value.verdict_reason, "the GPU slowed itself down");
  EXPECT_EQ(reader_->GetRun(run.run_id, ResultDetail::kNone)->telemetry(), "alternating");
}

// Whatever the reader remembers of it.
TEST_P(StoreConformance, ABoardThatWasReadFollowsWhatIsStored) {
  BoardQuery query = DefaultQuery();
  query.newest_job_only = true;
  const auto values = [&] {
    const auto fresh = place_->OpenReader()->BoardValues(query);
    EXPECT_THAT(NumbersOf(reader_->BoardValues(query)), ElementsAreArray(NumbersOf(fresh)));
    return NumbersOf(fresh);
  };
  EXPECT_THAT(values(), ElementsAre());
  PutJobWithRuns("a", 3);
  Finish("a", 1, 70, 1500);
  EXPECT_THAT(values(), ElementsAre(70));
  Finish("a", 2, 71, 1501);
  EXPECT_THAT(values(), ElementsAre(70, 71));
  PutJobWithRuns("b", 2);
  RunRecord elsewhere = MakeRun("b", 2, DefaultRequest());
  elsewhere.spec.set_device("cuda:0");
  Finish(elsewhere, 500, 1502);
  EXPECT_THAT(values(), ElementsAre(70, 71, 500));
  Finish("b", 1, 90, 1503);
  EXPECT_THAT(values(), ElementsAre(500, 90));
  Finish("a", 3, 72, 1504);
  EXPECT_THAT(values(), ElementsAre(500, 90)) << "late, and of an older job";
  query.metric = "gb_per_s";
  EXPECT_THAT(values(), ElementsAre());
  query.metric = "it_per_s";
  AgentRecord agent = store_->Load()->agents.at(0);
  agent.description.set_name("lab-3 with a new name");
  ASSERT_TRUE(store_->Commit({PutAgent{agent}}).ok());
  const auto renamed = reader_->BoardValues(query);
  ASSERT_EQ(renamed->size(), 2u);
  for (const BoardValue& value : *renamed) EXPECT_EQ(value.agent, "lab-3 with a new name");
}

TEST_P(StoreConformance, UnrankedJobsAreOnNoBoard) {
  PutJobWithRuns("a", 1);
  Finish("a", 1, 70, 1500);
  v1::SubmitRequest request = DefaultRequest();
  request.set_unranked(true);
  PutJobWithRuns("b", 1, request);
  Finish("b", 1, 90, 1600);
  BoardQuery query = DefaultQuery();
  for (const bool newest : {false, true}) {
    query.newest_job_only = newest;
    ASSERT_EQ(reader_->BoardValues(query)->size(), 1u);
    EXPECT_EQ(reader_->BoardValues(query)->front().value, 70);
  }
  EXPECT_EQ(reader_->ListRuns({}, 0, ResultDetail::kNone)->size(), 2u) << "in lists they are";
}

// Each row of a board has its own newest job, whatever came after it elsewhere.
TEST_P(StoreConformance, TheNewestJobOfEachRowIsTheNewestThatHasWhatIsAsked) {
  const auto finish = [&](const std::string& job_id, int repetition, const std::string& device, double it_per_s) {
    RunRecord run = MakeRun(job_id, repetition, DefaultRequest());
    run.spec.set_device(device);
    Finish(run, it_per_s, 1000 + it_per_s);
  };
  PutJobWithRuns("a", 3);
  finish("a", 1, "cpu", 10);
  finish("a", 2, "cuda:0", 11);
  finish("a", 3, "cuda:1", 12);
  PutJobWithRuns("b", 3);
  finish("b", 1, "cpu", 20);
  finish("b", 2, "cpu", 21);  // and the third never ends
  PutJobWithRuns("c", 1);
  RunRecord failed = MakeRun("c", 1, DefaultRequest());
  failed.state = RunState::kFailed;
  ASSERT_TRUE(store_->Commit({PutRun{failed}}).ok());
  PutJobWithRuns("d", 1);
  finish("d", 1, "cuda:1", 40);
  BoardQuery query = DefaultQuery();
  query.newest_job_only = true;
  const auto values = [&] { return NumbersOf(reader_->BoardValues(query)); };
  EXPECT_THAT(values(), ElementsAre(11, 20, 21, 40));
  query.until_unix_s = 1020;
  EXPECT_THAT(values(), ElementsAre(10, 11, 12)) << "as the board was then";
  query.until_unix_s = 0;
  query.device = "cuda:1";
  EXPECT_THAT(values(), ElementsAre(40));
  query.device.clear();
  query.metric = "gb_per_s";
  EXPECT_THAT(values(), ElementsAre());
  query.metric = "it_per_s";
  query.board = "n=512";
  EXPECT_THAT(values(), ElementsAre());
}

TEST_P(StoreConformance, BoardsAreThoseWithResultsThatAreRanked) {
  const auto finish = [&](const std::string& job_id, const std::string& board, bool is_unranked) {
    JobRecord job;
    job.job_id = job_id;
    job.sequence = next_sequence_++;
    job.request = DefaultRequest();
    job.request.set_request_id("request of " + job_id);
    job.request.set_unranked(is_unranked);
    RunRecord run = MakeRun(job_id, 1, job.request);
    run.board = board;
    ASSERT_TRUE(store_->Commit({PutJob{job, {}}, PutRun{run}}).ok());
    Finish(run, 70, 1500);
  };
  EXPECT_THAT(*reader_->Boards("tensor_add", 1), ElementsAre());
  finish("a", "n=512", false);
  finish("b", "n=4096", true);
  finish("c", "n=256", false);
  finish("d", "n=256", false);
  PutJobWithRuns("e", 1);
  EXPECT_THAT(*reader_->Boards("tensor_add", 1), ElementsAre("n=256", "n=512"));
}

}  // namespace fleetmark
