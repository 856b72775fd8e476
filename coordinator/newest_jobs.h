#pragma once

#include <map>
#include <utility>
#include <vector>

#include "coordinator/store.h"

namespace fleetmark {

// Of each series what belongs to the newest of its jobs. `Value` is a BoardValue or a pointer to one.
template <typename Value>
using NewestJobs = std::map<Series, std::vector<Value>>;

inline const BoardValue& Itself(const BoardValue& value) { return value; }
inline const BoardValue& Itself(const BoardValue* value) { return *value; }

template <typename Value>
void AddTo(NewestJobs<Value>* newest, Value value) {
  std::vector<Value>& values = (*newest)[SeriesOf(Itself(value))];
  if (!values.empty()) {
    const int64_t known = Itself(values.front()).job_sequence, added = Itself(value).job_sequence;
    if (known > added) return;
    if (known < added) values.clear();
  }
  values.push_back(std::move(value));
}

}  // namespace fleetmark
