#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/status.h"
#include "fleetmark/v1/coordinator.pb.h"

namespace CLI {
class App;
}

namespace fleetmark {

// "name=value" of each --set, or of another flag. A word without "=" fails and is named.
StatusOr<std::vector<std::pair<std::string, std::string>>> ParseAssignments(const std::vector<std::string>& words,
                                                                            const std::string& flag = "--set");

// Puts each --set into a message's `parameters`.
template <typename Message>
Status FillParameters(const std::vector<std::string>& words, Message* message) {
  FLEETMARK_ASSIGN_OR_RETURN(const auto assignments, ParseAssignments(words));
  for (const auto& [name, value] : assignments) (*message->mutable_parameters())[name] = value;
  return OkStatus();
}

// Declares the repeatable flag --set.
void DeclareSet(CLI::App* app, std::vector<std::string>* words, const std::string& doc);

// Unix seconds of what a --since or --until says; 0 for "".
StatusOr<double> ParseMoment(const std::string& text, const std::string& flag, double now_unix_s);

// The flags that choose runs, the same for `runs` and `export`.
class RunFilterFlags {
 public:
  void Declare(CLI::App* app, const std::string& limit_doc);
  StatusOr<v1::RunFilter> ToFilter(double now_unix_s) const;

 private:
  std::string workload_, agent_, device_, runtime_, profile_, state_, verdict_, since_, until_, job_;
  std::vector<std::string> set_;
  int limit_ = 0;
};

}  // namespace fleetmark
