#include "tests/simulation/digest.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <stdexcept>

#include "common/clock.h"
#include "fleetmark/v1/agent.pb.h"
#include "tests/fakes/noise.h"

namespace fleetmark::simulation {
namespace {

// More than any lease, poll or pause that an agent or a coordinator of a small model looks back over.
constexpr int64_t kLongestMemoryNs = 100 * kNanosPerSecond;

uint64_t Mix(uint64_t a, uint64_t b) { return Scramble(a * 0x9e3779b97f4a7c15 + b + 0x632be59bd9b4e019); }

uint64_t HashOf(std::string_view text) { return std::hash<std::string_view>()(text); }

}  // namespace

void Digest::Add(std::string_view text) { tokens_.push_back(HashOf(text)); }

void Digest::AddTime(int64_t ns, int64_t now_ns) {
  const bool is_time = ns != 0 && ns != std::numeric_limits<int64_t>::max();
  Add(is_time);
  if (!is_time) return Add(ns);
  Add(std::llround(static_cast<double>(std::max(ns - now_ns, -kLongestMemoryNs)) * 1e-6));
}

void Digest::AddOrdered(Order kind, int agent, double value) {
  ranked_.push_back({tokens_.size(), Mix(static_cast<uint64_t>(kind), static_cast<uint64_t>(agent)), value, ""});
  Add(0);
}

void Digest::AddBound(Order kind, int agent, double value) {
  AddOrdered(kind, agent, value);
  ranked_.back().is_bound = true;
}

void Digest::AddFence(int epoch, double seq, const Reference& reference) {
  AddOrdered(Order::kSeq, reference.agent, seq);
  ranked_.back().scope = Mix(ranked_.back().scope, static_cast<uint64_t>(epoch));
}

void Digest::AddHash(const std::string& attempt_id, const std::string& hash) {
  if (hash.empty()) return Add(0);
  ranked_.push_back({tokens_.size(), HashOf(attempt_id), 0, hash});
  Add(0);
}

void Digest::AddMessage(const google::protobuf::Message& message, const Reference& reference) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const google::protobuf::FieldDescriptor* field : fields) {
    Add(field->number());
    if (!field->is_repeated()) {
      AddField(message, *field, reference);
      continue;
    }
    std::vector<std::string> entries;
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      if (field->is_map()) {
        entries.push_back(reflection.GetRepeatedMessage(message, field, i).SerializeAsString());
      } else if (field->message_type() != nullptr) {
        AddMessage(reflection.GetRepeatedMessage(message, field, i), reference);
      } else {
        Add(reflection.GetRepeatedString(message, field, i));
      }
    }
    std::sort(entries.begin(), entries.end());
    for (const std::string& entry : entries) Add(entry);
  }
}

void Digest::AddField(const google::protobuf::Message& message, const google::protobuf::FieldDescriptor& field,
                      const Reference& reference) {
  using Type = google::protobuf::FieldDescriptor;
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  const auto other = [&](const char* name) { return message.GetDescriptor()->FindFieldByName(name); };
  if (field.name() == "revision" || field.name() == "known_revision") {
    return AddRevision(reflection.GetInt32(message, &field), reference);
  }
  if (field.name() == "seq") {
    return AddFence(reflection.GetInt32(message, other("coordinator_epoch")), reflection.GetDouble(message, &field),
                    reference);
  }
  if (field.name() == "sha256") {
    return AddHash(reflection.GetString(message, other("attempt_id")), reflection.GetString(message, &field));
  }
  switch (field.cpp_type()) {
    case Type::CPPTYPE_MESSAGE:
      return AddMessage(reflection.GetMessage(message, &field), reference);
    case Type::CPPTYPE_INT64: {
      const int64_t boottime_ns = reflection.GetInt64(message, &field);
      // An answer tells what the time is; all others are bounds.
      if (message.GetDescriptor() == v1::SyncResponse::descriptor()) return AddTime(boottime_ns, reference.boottime_ns);
      return AddNotBefore(boottime_ns, reference.boottime_ns);
    }
    case Type::CPPTYPE_STRING:
      return Add(reflection.GetString(message, &field));
    case Type::CPPTYPE_DOUBLE:
      return Add(std::llround(reflection.GetDouble(message, &field) * 1e3));
    case Type::CPPTYPE_INT32:
      return Add(reflection.GetInt32(message, &field));
    case Type::CPPTYPE_BOOL:
      return Add(reflection.GetBool(message, &field));
    default:
      throw std::logic_error(field.full_name() + " is of a type that no digest knows");
  }
}

uint64_t Digest::Finish() {
  std::map<uint64_t, std::set<std::pair<double, std::string>>> scopes;
  for (const Ranked& ranked : ranked_) {
    if (!ranked.is_bound) scopes[ranked.scope].emplace(ranked.number, ranked.text);
  }
  for (const Ranked& ranked : ranked_) {
    const auto& like = scopes[ranked.scope];
    const auto found = like.lower_bound({ranked.number, ranked.text});
    tokens_[ranked.token] = 1 + static_cast<uint64_t>(std::distance(like.begin(), found));
  }
  items_.push_back(tokens_.size());
  uint64_t all = 0;
  size_t next = 0;
  for (; next < items_.front(); ++next) all = Mix(all, tokens_[next]);
  uint64_t sum = 0;
  for (size_t i = 1; i < items_.size(); ++i) {
    uint64_t item = 0;
    for (; next < items_[i]; ++next) item = Mix(item, tokens_[next]);
    sum += Mix(item, 0);
  }
  return Mix(all, sum);
}

}  // namespace fleetmark::simulation
