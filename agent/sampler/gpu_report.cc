#include "agent/sampler/gpu_report.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <string_view>

namespace fleetmark {
namespace {

// What a GPU may be seen to have, by unit: wide enough for those to come, narrow enough for an overflow, a missing
// division by 1000 and a register of ones.
struct Range {
  std::string_view unit;
  double low;
  double high;
};
constexpr std::array kBelievable = {
    Range{"%", 0, 100},    Range{"B", 0, 1e14},   Range{"MHz", 0, 20'000},
    Range{"°C", -50, 150}, Range{"W", 0, 10'000}, Range{"", 0, 1},  // of a flag
};

std::string NumberText(double value) {
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%.6g", value);
  return text.data();
}

}  // namespace

std::optional<int> GpuIndex(const std::string& device) {
  constexpr std::string_view kPrefix = "cuda:";
  int index = 0;
  if (!device.starts_with(kPrefix)) return std::nullopt;
  const char* end = device.data() + device.size();
  if (std::from_chars(device.data() + kPrefix.size(), end, index).ptr != end || index < 0) return std::nullopt;
  return index;
}

void GpuReport::Add(const telemetry::SeriesName& series, double value) {
  const auto range = std::find_if(kBelievable.begin(), kBelievable.end(),
                                  [&](const Range& candidate) { return candidate.unit == series.unit; });
  if (range != kBelievable.end() && !(value >= range->low && value <= range->high)) {
    return Miss({&series}, Internal(NumberText(value) + " " + series.unit + " cannot be true"));
  }
  readings_->push_back({series.name, series.unit, value});
  has_read_ = true;
}

void GpuReport::Miss(SeriesList series, const Status& why) {
  if (why.code() == StatusCode::kPermissionDenied) {
    is_forbidden_ = true;
  } else if (why.code() != StatusCode::kUnimplemented) {
    is_failed_ = true;
  }
  auto entry = std::find_if(missing_.begin(), missing_.end(),
                            [&](const auto& candidate) { return candidate.first == why.message(); });
  if (entry == missing_.end()) entry = missing_.insert(missing_.end(), {why.message(), ""});
  for (const telemetry::SeriesName* one : series) {
    if (!entry->second.empty()) entry->second += ", ";
    entry->second += one->name;
  }
}

v1::Sensor GpuReport::Finish() const {
  v1::Sensor state;
  state.set_name(sensor_);
  state.set_state(is_failed_ ? "failed" : is_forbidden_ ? "forbidden" : "ok");
  std::string why;
  for (const auto& [reason, series] : missing_) why += (why.empty() ? "" : "; ") + series + ": " + reason;
  state.set_why(why);
  return state;
}

}  // namespace fleetmark
