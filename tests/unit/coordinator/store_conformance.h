#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "coordinator/store.h"

namespace fleetmark {

// What every implementation of Store and StoreReader must pass; see store_conformance.cc and
// store_boards_conformance.cc. An implementation instantiates it with a factory of empty places.
class StorePlace {
 public:
  virtual ~StorePlace() = default;
  // Opens what is stored at this place; whatever was open before has been destroyed.
  virtual std::unique_ptr<Store> OpenStore() = 0;
  virtual std::unique_ptr<StoreReader> OpenReader() = 0;
};

class StoreConformance : public testing::TestWithParam<std::function<std::unique_ptr<StorePlace>()>> {
 protected:
  void SetUp() override;

  // Closes and opens the store, as a restart does.
  void Reopen();

  // A job with `runs` queued runs on agent "agent-1" (which is put as well), committed.
  void PutJobWithRuns(const std::string& job_id, int runs, const v1::SubmitRequest& request = DefaultRequest());
  static v1::SubmitRequest DefaultRequest();
  RunRecord MakeRun(const std::string& job_id, int repetition, const v1::SubmitRequest& request) const;
  static AttemptRecord MakeAttempt(const std::string& run_id, int number);
  // A report of a run that succeeded with one metric and some samples.
  static PutReport MakeReport(const std::string& run_id, const std::string& attempt_id, double it_per_s);
  // Lets the run succeed with `it_per_s`, in one commit.
  void Finish(const std::string& job_id, int repetition, double it_per_s, double finished_unix_s);
  void Finish(RunRecord run, double it_per_s, double finished_unix_s);

  std::unique_ptr<StorePlace> place_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<StoreReader> reader_;
  int64_t next_sequence_ = 1;
};

}  // namespace fleetmark
