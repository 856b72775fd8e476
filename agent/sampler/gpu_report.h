#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/sampler/kernel_file.h"
#include "agent/sampler/sensor.h"
#include "common/status.h"

namespace fleetmark {

// Of one machine; more is no count but nonsense.
inline constexpr unsigned kMostGpus = 1024;

// N of "cuda:N", also of an AMD GPU, which LibTorch calls the same; nothing for a device of another kind.
std::optional<int> GpuIndex(const std::string& device);

// What came of asking a GPU once: readings that can be believed, and of each that is missing the reason.
class GpuReport {
 public:
  // Appends to `readings`, which must outlive it.
  GpuReport(const char* sensor, std::vector<Reading>* readings) : sensor_(sensor), readings_(readings) {}

  // Keeps `value`, in the unit of `series`. What no GPU can have, as 300 % or 10,000 °C, is dropped and said.
  void Add(const telemetry::SeriesName& series, double value);

  using SeriesList = std::initializer_list<const telemetry::SeriesName*>;
  // Says why `series` are missing: UNIMPLEMENTED where this GPU does not have them, else as SensorState.
  void Miss(SeriesList series, const Status& why);

  bool has_read() const { return has_read_; }

  // "ok" when all was read that the GPU has; `why` then may still name what it does not have. Else "failed" or
  // "forbidden", the worst that came, also where other quantities were read: they are in the readings, and `why` names
  // those that are not.
  v1::Sensor Finish() const;

 private:
  const char* sensor_;
  std::vector<Reading>* readings_;
  bool has_read_ = false;
  bool is_forbidden_ = false;
  bool is_failed_ = false;
  std::vector<std::pair<std::string, std::string>> missing_;  // reason, and the series that it is the reason of
};

}  // namespace fleetmark
