#pragma once

#include <map>
#include <string>
#include <vector>

#include "fleetmark/v1/agent.pb.h"
#include "fleetmark/v1/workload.pb.h"

namespace fleetmark {

// A value for each tunable parameter of a workload.
using TuneSettings = std::map<std::string, std::string>;

// What a search for the fastest settings may try, as the workload describes itself.
struct TuneSpace {
  struct Dimension {
    std::string name;
    std::vector<std::string> values;  // at least one
  };
  std::vector<Dimension> dimensions;  // in the order of the description
  TuneSettings stock;
  TuneSettings tuned;     // the workload's own
  bool has_seed = false;  // so that stock can be run with others

  // "stock", "tuned", else what differs from `tuned`: "pinning=close threads=1".
  std::string NameOf(const TuneSettings& settings) const;
  // Every setting that differs from `center` in one dimension.
  std::vector<TuneSettings> Neighbours(const TuneSettings& center) const;
};

// Every choice of a choice; true and false; of threads 1, half the physical cores, those, and the logical ones; of
// other numbers half, twice and four times what they are. Always within the bounds, and always what stock and tuned
// have.
TuneSpace MakeTuneSpace(const v1::WorkloadSpec& workload, const std::string& device_kind, const v1::Host& host);

inline constexpr char kSeed[] = "seed";

// The seed that comes so many after `first`, within the parameter's bounds: behind the last comes the least.
std::string OtherSeed(const v1::ParameterSpec& spec, const std::string& first, int offset);

}  // namespace fleetmark
