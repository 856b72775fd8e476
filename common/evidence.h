#pragma once

#include <string>
#include <utility>
#include <vector>

#include "fleetmark/v1/run.pb.h"

namespace fleetmark {

namespace words {
// "12.3", "0.0123": three digits that mean something.
std::string Number(double value);
// "12.3 %" of 0.123.
std::string Percent(double share);
}  // namespace words

// What a verdict rests on, as it is gathered, and the verdict that follows from it.
class Evidence {
 public:
  // `kind` is one of kVerdictsByGravity, `cause` one word or two.
  void Against(const char* kind, const char* cause, std::string sentence);
  // What was looked at and speaks for the result.
  void InOrder(std::string sentence) { in_order_.push_back(std::move(sentence)); }
  // What could not be looked at.
  void Unknown(std::string sentence) { unknown_.push_back(std::move(sentence)); }

  bool HasAny(const std::string& kind) const;

  // The gravest of what speaks against it; without any OK, or UNCHECKED where there is a reason why it cannot be
  // certified. In words: what decided, what else speaks against it, that reason, what was in order, what is not known.
  v1::Verdict Conclude(const std::string& why_unchecked) const;

 private:
  struct Finding {
    const char* kind;
    const char* cause;
    std::string sentence;
  };
  std::vector<Finding> findings_;
  std::vector<std::string> in_order_, unknown_;
};

}  // namespace fleetmark
