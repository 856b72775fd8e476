#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coordinator/coordinator_core.h"
#include "coordinator/sqlite_store.h"

namespace fleetmark::fuzz {

// A CoordinatorCore with the real store, driven by a script. People and agents may say anything; agents answer only
// what they were asked, in any order, or never. In messages "A0" stands for the id of the first attempt that was
// dispatched, "A1" for the next. Breaks off where the core breaks a promise.
class CoordinatorWorld {
 public:
  CoordinatorWorld();
  ~CoordinatorWorld();

  // One line of a script; see CoordinatorWorld::Do in the source for the words.
  void Do(std::string_view line);
  // The bytes of a report as the answer to the oldest FetchCall; false when there is none.
  bool AnswerFetch(const std::string& bytes);
  // What is stored, read back in every way that people read it. Also: a core that is rebuilt from it follows the same
  // runs as this one.
  void CheckStored();

  // Attempt ids in the order of their StartRun.
  const std::vector<std::string>& attempts() const { return attempts_; }

 private:
  bool DoPerson(std::string_view word, std::string_view rest);
  void DoAgent(std::string_view word, std::string_view rest);
  void AnswerDescribe(std::string_view rest);
  void AnswerSync(std::string_view rest);
  void AnswerOrder(std::string_view rest);
  void Tick(double seconds);
  void Restart(bool is_same_process);
  void Step(const Event& event);
  bool Commit(const Effects& effects);
  void Perform(const DescribeCall& call);
  void Perform(const SyncCall& call);
  void Perform(const EndSync& call);
  void Perform(const OrderCall& call);
  void Perform(const FetchCall& call);
  void Perform(const LookUp& call);
  void Perform(const ResetConnection& call);
  void CheckFence(const std::string& agent_id, const v1::Fence& fence, bool is_order);
  std::string Named(const std::string& word) const;

  std::unique_ptr<Store> store_;
  std::unique_ptr<StoreReader> reader_;
  std::unique_ptr<CoordinatorCore> core_;
  CoreConfig config_;
  Moment now_;
  int starts_ = 0;
  bool fails_next_commit_ = false;

  // Under way.
  std::vector<DescribeCall> describes_;
  std::vector<SyncCall> syncs_;
  std::vector<OrderCall> orders_;
  std::vector<FetchCall> fetches_;
  std::vector<LookUp> look_ups_;
  uint64_t last_reply_ = 0;
  std::set<uint64_t> asked_;  // that have no answer yet

  // Ever.
  std::vector<std::string> runs_;
  std::vector<std::string> attempts_;
  std::set<std::pair<std::string, std::string>> stored_reports_;  // attempt id, sha256
  std::map<std::string, std::pair<int, double>> fences_;          // by agent: of the last order
};

}  // namespace fleetmark::fuzz
