#include "agent/worker/event_writer.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <optional>
#include <utility>

#include "common/worker_protocol.h"

namespace fleetmark {
namespace {

// A double prints in at most 25 characters, so that a line of these stays far below kEventLineLimit.
constexpr size_t kValuesPerLine = 8192;
// Text from the outside world, an exception's message say, is cut so that its line stays below the limit.
constexpr size_t kLongestText = 16384;

void AddIfSet(const char* name, const std::optional<double>& value, Json* object) {
  if (value) (*object)[name] = JsonNumber(*value);
}

}  // namespace

Json JsonNumber(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

void EventWriter::Write(const char* event, Json body) {
  Json document;
  document[event] = std::move(body);
  const std::string line = document.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  const std::lock_guard<std::mutex> lock(mutex_);
  size_t written = 0;
  while (open() && written < line.size()) {
    const ssize_t count = write(descriptor_, line.data() + written, line.size() - written);
    if (count >= 0) {
      written += static_cast<size_t>(count);
    } else if (errno != EINTR) {
      open_ = false;
    }
  }
}

void EventWriter::Started(const Json& environment) { Write("started", {{"environment", environment}}); }

void EventWriter::Phase(std::string_view name) { Write("phase", {{"name", name}}); }

void EventWriter::Progress(const Json& progress) { Write("progress", progress); }

void EventWriter::Epoch(const TrainingEpoch& epoch) {
  Json body = {{"epoch", epoch.epoch}, {"epoch_s", JsonNumber(epoch.epoch_s)}};
  AddIfSet("loss", epoch.score.loss, &body);
  AddIfSet("accuracy", epoch.score.accuracy, &body);
  AddIfSet("val_loss", epoch.score.val_loss, &body);
  AddIfSet("val_accuracy", epoch.score.val_accuracy, &body);
  Write("training_epoch", std::move(body));
}

void EventWriter::Metric(const MetricValue& metric) {
  Json body = {{"name", metric.definition->name}, {"unit", metric.definition->unit}};
  body["value"] = JsonNumber(metric.value);
  if (const auto& sample = metric.sample; sample && sample->n > 0) {
    body["n"] = sample->n;
    body["best"] = JsonNumber(metric.definition->better == "more" ? sample->max : sample->min);
    body["median"] = JsonNumber(sample->median);
    body["mean"] = JsonNumber(sample->mean);
    if (sample->n > 1) {  // one value has no spread that could be known
      body["sd"] = JsonNumber(sample->sd);
      body["mad"] = JsonNumber(sample->mad);
    }
    body["p5"] = JsonNumber(sample->p5);
    body["p95"] = JsonNumber(sample->p95);
    body["p99"] = JsonNumber(sample->p99);
  }
  if (metric.interval.known) {
    body["ci_low"] = JsonNumber(metric.interval.low);
    body["ci_high"] = JsonNumber(metric.interval.high);
  }
  Write("metric", std::move(body));
}

void EventWriter::Samples(std::string_view name, std::string_view unit, std::span<const double> values) {
  for (size_t first = 0; first < values.size(); first += kValuesPerLine) {
    const std::span<const double> chunk = values.subspan(first, std::min(kValuesPerLine, values.size() - first));
    Json numbers = Json::array();
    for (const double value : chunk) numbers.push_back(JsonNumber(value));
    Write("samples", {{"name", name}, {"unit", unit}, {"first", first}, {"values", std::move(numbers)}});
  }
}

void EventWriter::Ceiling(const fleetmark::Ceiling& ceiling) {
  Write("ceiling", {{"resource", ceiling.resource},
                    {"dtype", ceiling.dtype},
                    {"rate", JsonNumber(ceiling.rate)},
                    {"measured_unix_s", JsonNumber(ceiling.measured_unix_s)}});
}

void EventWriter::Result(const Json& result) { Write("result", result); }

void EventWriter::Error(const Status& failure) {
  Write("error", {{"kind", failure.kind()},
                  {"message", failure.message().substr(0, kLongestText)},
                  {"hint", failure.hint().substr(0, kLongestText)}});
}

}  // namespace fleetmark
