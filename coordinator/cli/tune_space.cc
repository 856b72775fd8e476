#include "coordinator/cli/tune_space.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <limits>

#include "common/run_spec.h"

namespace fleetmark {
namespace {

constexpr char kThreadsUnit[] = "threads";
// The greatest seed where a workload sets no bound, and the greatest whole number that a bound tells exactly.
constexpr double kUsualMostSeed = std::numeric_limits<int32_t>::max(), kMostInt = 9'007'199'254'740'992;

// "0" means one a physical core, so that number need not be tried beside it.
std::vector<std::string> ThreadCounts(const v1::ParameterSpec& spec, const v1::Host& host) {
  const int logical = std::max(host.cpu_count(), 1);
  const int physical = host.physical_cores() > 0 ? host.physical_cores() : logical;
  std::vector<std::string> counts;
  for (const int count : {1, physical / 2, physical, logical}) {
    if (count > 0 && !(count == physical && spec.default_value() == "0")) counts.push_back(std::to_string(count));
  }
  return counts;
}

std::vector<std::string> ValuesToTry(const v1::ParameterSpec& spec, const v1::Host& host) {
  if (spec.type() == "choice") return {spec.choices().begin(), spec.choices().end()};
  if (spec.type() == "bool") return {"false", "true"};
  if (spec.unit() == kThreadsUnit) return ThreadCounts(spec, host);
  std::vector<std::string> values;
  const double usual = std::atof(spec.default_value().c_str());
  for (const double factor : {0.5, 2.0, 4.0}) {
    const double value = usual * factor;
    values.push_back(spec.type() == "int" ? std::to_string(static_cast<long>(value)) : std::to_string(value));
  }
  return values;
}

}  // namespace

std::string TuneSpace::NameOf(const TuneSettings& settings) const {
  if (settings == tuned) return stock == tuned ? "stock" : "tuned";
  if (settings == stock) return "stock";
  std::string name;
  for (const auto& [parameter, value] : settings) {
    if (tuned.at(parameter) != value) name += (name.empty() ? "" : " ") + parameter + "=" + value;
  }
  return name;
}

std::vector<TuneSettings> TuneSpace::Neighbours(const TuneSettings& center) const {
  std::vector<TuneSettings> neighbours;
  for (const Dimension& dimension : dimensions) {
    for (const std::string& value : dimension.values) {
      if (center.at(dimension.name) == value) continue;
      neighbours.push_back(center);
      neighbours.back()[dimension.name] = value;
    }
  }
  return neighbours;
}

TuneSpace MakeTuneSpace(const v1::WorkloadSpec& workload, const std::string& device_kind, const v1::Host& host) {
  TuneSpace space;
  for (const v1::ParameterSpec& spec : workload.parameters()) {
    if (spec.name() == kSeed && spec.type() == "int") space.has_seed = true;
    if (!spec.tunable()) continue;
    const auto tuned = spec.tuned().find(device_kind);
    space.stock[spec.name()] = spec.default_value();
    space.tuned[spec.name()] = tuned == spec.tuned().end() ? spec.default_value() : tuned->second;
    std::vector<std::string> values = {space.stock[spec.name()], space.tuned[spec.name()]};
    for (const std::string& value : ValuesToTry(spec, host)) {
      const auto checked = CheckParameters(workload, {{spec.name(), value}});
      if (checked.ok()) values.push_back(checked->at(spec.name()));
    }
    TuneSpace::Dimension dimension{spec.name(), {}};
    for (const std::string& value : values) {
      auto& known = dimension.values;
      if (std::find(known.begin(), known.end(), value) == known.end()) known.push_back(value);
    }
    space.dimensions.push_back(std::move(dimension));
  }
  return space;
}

std::string OtherSeed(const v1::ParameterSpec& spec, const std::string& first, int offset) {
  const auto least = static_cast<int64_t>(spec.has_min() ? spec.min() : 0);
  const auto most = static_cast<int64_t>(spec.has_max() ? std::min(spec.max(), kMostInt) : kUsualMostSeed);
  const int64_t behind = std::strtoll(first.c_str(), nullptr, 10) - least + offset;
  return std::to_string(least + behind % (most - least + 1));
}

}  // namespace fleetmark
