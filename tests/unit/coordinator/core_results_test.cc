#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/sha256.h"
#include "tests/unit/coordinator/core_harness.h"

namespace fleetmark {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

// Invariant 4 (an ack leaves only after the commit) is checked by the harness at every ack.
TEST(CoreResults, AResultIsFetchedStoredAndAcknowledged) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  const std::string run = fleet.SubmitOne(CoreHarness::Request("lab"));
  const std::string attempt = lab.Running();
  fleet.Finish(lab);
  EXPECT_EQ(fleet.StateOf(run), "succeeded");
  EXPECT_EQ(fleet.RunOf(run).result().metrics(0).value(), 100);
  EXPECT_EQ(fleet.RunOf(run).attempts(0).state(), "stored");
  fleet.Advance(1);  // the ack waits a moment for company
  EXPECT_THAT(lab.reports, IsEmpty());
}

TEST(CoreResults, TheMachineIsFreeAsSoonAsTheReportIsReady) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  lab.cuts_reports = true;  // the report cannot be fetched yet
  const std::string first = fleet.SubmitOne(CoreHarness::Request("lab"));
  const std::string second = fleet.SubmitOne(CoreHarness::Request("lab"));
  fleet.Finish(lab);
  EXPECT_EQ(fleet.StateOf(first), "running");
  EXPECT_EQ(fleet.RunOf(first).attempts(0).state(), "result_ready");
  EXPECT_EQ(fleet.StateOf(second), "running");
}

TEST(CoreResults, WrongBytesAreFetchedAgainAndNeverStored) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  lab.cuts_reports = true;
  const std::string run = fleet.SubmitOne(CoreHarness::Request("lab"));
  fleet.Finish(lab);
  fleet.Advance(10);
  EXPECT_EQ(fleet.StateOf(run), "running");
  EXPECT_THAT(lab.reports, SizeIs(1)) << "nothing was acknowledged";
  lab.cuts_reports = false;
  fleet.Advance(60);
  EXPECT_EQ(fleet.StateOf(run), "succeeded");
}

TEST(CoreResults, AnAckThatWasLostIsSentAgainWithoutStoringTwice) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  const std::string run = fleet.SubmitOne(CoreHarness::Request("lab"));
  fleet.Finish(lab);  // stored; the ack still waits
  ASSERT_THAT(lab.reports, SizeIs(1));
  fleet.RestartCoordinator();
  fleet.Advance(1);
  EXPECT_THAT(lab.reports, IsEmpty());
  EXPECT_EQ(fleet.RunOf(run).attempts(0).conflicts(), 0);
}

TEST(CoreResults, OtherBytesForAStoredAttemptAreKeptAsAConflict) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  const std::string run = fleet.SubmitOne(CoreHarness::Request("lab"));
  const std::string attempt = lab.Running();
  fleet.Finish(lab);
  fleet.Advance(1);
  const std::string stored = fleet.RunOf(run).attempts(0).report_sha256();
  lab.ReportOtherBytes(attempt);
  fleet.Settle();
  fleet.Advance(1);
  const v1::RunInfo info = fleet.RunOf(run);
  EXPECT_EQ(info.attempts(0).conflicts(), 1);
  EXPECT_EQ(info.attempts(0).report_sha256(), stored);
  EXPECT_EQ(info.state(), "succeeded");
  EXPECT_THAT(lab.reports, IsEmpty()) << "and it is acknowledged";
}

TEST(CoreResults, AReportOfAnAttemptThatWasNeverPlannedIsKeptApart) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  lab.Report("unheard of", "succeeded");
  fleet.Settle();
  fleet.Advance(1);
  EXPECT_THAT(lab.reports, IsEmpty());
}

TEST(CoreResults, ALateResultOfAnExpiredLeaseIsTheRunsWhenNoOtherAttemptRuns) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  v1::SubmitRequest request = CoreHarness::Request("any");
  request.set_retries(1);
  const std::string run = fleet.SubmitOne(request);
  const std::string attempt = lab.Running();
  lab.is_up = false;
  fleet.Settle();
  fleet.Advance(200);
  ASSERT_EQ(fleet.StateOf(run), "queued");
  lab.Report(attempt, "succeeded");
  lab.draining = true;  // so that the run is still queued when the report comes
  lab.not_accepting = "disk nearly full";
  lab.is_up = true;
  fleet.Advance(60);
  EXPECT_EQ(fleet.StateOf(run), "succeeded");
  EXPECT_THAT(lab.starts, SizeIs(1));
  EXPECT_THAT(lab.reports, IsEmpty());
}

TEST(CoreResults, ALateResultOfARunThatHasEndedChangesNothing) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  const std::string run = fleet.SubmitOne(CoreHarness::Request("any"));
  const std::string attempt = lab.Running();
  lab.is_up = false;
  fleet.Settle();
  fleet.Advance(200);
  ASSERT_EQ(fleet.StateOf(run), "interrupted");
  lab.Report(attempt, "succeeded");
  lab.is_up = true;
  fleet.Advance(60);
  EXPECT_EQ(fleet.StateOf(run), "interrupted");
  EXPECT_FALSE(fleet.RunOf(run).has_result());
  EXPECT_NE(fleet.RunOf(run).attempts(0).report_sha256(), "") << "the report is kept";
  EXPECT_THAT(lab.reports, IsEmpty());
}

TEST(CoreResults, BytesThatAreNoReportEndTheRunByName) {
  CoreHarness fleet;
  ScriptedAgent& lab = fleet.AddAgent("lab");
  const std::string run = fleet.SubmitOne(CoreHarness::Request("lab"));
  const std::string attempt = lab.Running();
  lab.Report(attempt, "succeeded");
  lab.reports[attempt] = "rubbish";
  fleet.Settle();
  EXPECT_EQ(fleet.StateOf(run), "failed");
  EXPECT_EQ(fleet.RunOf(run).failure().kind(), "protocol");
}

}  // namespace
}  // namespace fleetmark
