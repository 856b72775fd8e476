#pragma once

#include <google/protobuf/message.h>

#include <concepts>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fleetmark::simulation {

// One number for a state: equal for two states from which the same can follow. What counts of a number that only grows
// is how it compares with the others, of a time how long ago or ahead it is, of a hash which others it equals.
class Digest {
 public:
  // What a message of one agent is read against.
  struct Reference {
    int agent = 0;
    int64_t boottime_ns = 0;
    int revision = 0;
  };

  template <typename T>
  requires std::integral<T> || std::is_enum_v<T>
  void Add(T value) { tokens_.push_back(static_cast<uint64_t>(value)); }
  void Add(std::string_view text);
  // To the millisecond; what is longer ago than anybody looks back is that long ago. 0 and the greatest are no times.
  void AddTime(int64_t ns, int64_t now_ns);
  // The same of a time of which nothing counts but whether it is still to come.
  void AddNotBefore(int64_t ns, int64_t now_ns) { AddTime(ns > now_ns ? ns : 0, now_ns); }
  // Among those of the same `kind` and `agent`.
  enum class Order { kCall, kAgentCall, kReply, kJob, kSeq };  // kSeq is for AddFence
  void AddOrdered(Order kind, int agent, double value);
  // A bound: how many of those are less. It is none of them.
  void AddBound(Order kind, int agent, double value);
  // Those of one epoch are compared.
  void AddFence(int epoch, double seq, const Reference& reference);
  // A hash of a report of this attempt; "" is none.
  void AddHash(const std::string& attempt_id, const std::string& hash);
  // Against the agent's, and as it is: the agent may begin to count anew. 0 is none.
  void AddRevision(int revision, const Reference& reference) {
    Add(revision);
    Add(revision == 0 ? 0 : revision - reference.revision);
  }
  void AddMessage(const google::protobuf::Message& message, const Reference& reference);

  // From here on until the next one stands something that has no place among its like.
  void BeginItem() { items_.push_back(tokens_.size()); }

  uint64_t Finish();

 private:
  void AddField(const google::protobuf::Message& message, const google::protobuf::FieldDescriptor& field,
                const Reference& reference);

  struct Ranked {
    size_t token;
    uint64_t scope;
    double number;
    std::string text;
    bool is_bound = false;
  };

  std::vector<uint64_t> tokens_;
  std::vector<Ranked> ranked_;
  std::vector<size_t> items_;
};

}  // namespace fleetmark::simulation
