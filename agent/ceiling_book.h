#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "agent/admission.h"
#include "common/status.h"
#include "fleetmark/v1/ceiling_book.pb.h"
#include "fleetmark/v1/run.pb.h"

namespace fleetmark::agent {

// Whether a runner may say so: a known resource and a rate that is a number above 0.
Status CheckCeiling(const v1::Ceiling& ceiling);

// Those of the device that `spec` is for, as they are now.
v1::CeilingConditions CeilingConditionsOf(const Offer& offer, const v1::RunSpec& spec);

// The best that this agent has seen each device reach, durable in DIRECTORY/ceilings.json. Used from one thread.
class CeilingBook {
 public:
  // Never fails: what the file would have said can be measured again. One that cannot be read is moved aside to
  // ceilings.json.corrupt-TIME, dated by `unix_s`.
  CeilingBook(const std::filesystem::path& directory, double unix_s);

  // "" unless the file could not be read: one sentence for the log.
  const std::string& warning() const { return warning_; }

  // Of the device of `conditions`, by whichever runtime they were measured: one of each resource and dtype. What was
  // kept under other conditions of it is forgotten.
  std::vector<v1::Ceiling> Known(const v1::CeilingConditions& conditions);

  // Keeps those that are above what is known; others may be what the run was given, or of a noisy minute. What is kept
  // is never lowered while the conditions stay: a measurement shows that the device can do at least that much, and
  // neighbours, heat or a quota only ever make it look slower. Fails when the file cannot be written; what was learnt
  // is known all the same until the agent ends.
  Status Keep(const v1::CeilingConditions& conditions, const std::vector<v1::Ceiling>& ceilings);

 private:
  Status Load();
  v1::KeptCeilings* EntryOf(const v1::CeilingConditions& conditions);
  Status Save() const;

  const std::filesystem::path path_;
  std::string warning_;
  v1::CeilingFile file_;
};

}  // namespace fleetmark::agent
