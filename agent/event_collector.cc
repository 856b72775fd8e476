#include "agent/event_collector.h"

#include <algorithm>
#include <utility>

#include "agent/ceiling_book.h"
#include "common/proto_json.h"
#include "common/worker_protocol.h"

namespace fleetmark::agent {
namespace {

constexpr size_t kExcerptBytes = 80;

// Enough of a line to recognise it, printable.
std::string Excerpt(std::string_view line) {
  std::string text(line.substr(0, kExcerptBytes));
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c > 0x7e; }, '?');
  return "\"" + text + (line.size() > kExcerptBytes ? "...\"" : "\"");
}

}  // namespace

bool EventCollector::Feed(std::string_view bytes) {
  total_bytes_ += bytes.size();
  if (breach_.empty() && total_bytes_ > kTotalLimit) {
    Breach("the runner sent more than " + std::to_string(kTotalLimit >> 20) + " MiB of events");
  }
  while (breach_.empty() && !bytes.empty()) {
    const size_t newline = bytes.find('\n');
    const std::string_view part = bytes.substr(0, newline);
    if (partial_.size() + part.size() >= kEventLineLimit) {
      Breach("line " + std::to_string(line_number_ + 1) + " of the runner's events is longer than " +
             std::to_string(kEventLineLimit) + " bytes");
    } else if (newline == std::string_view::npos) {
      partial_.append(part);
      break;
    } else if (partial_.empty()) {
      TakeLine(part);
    } else {
      partial_.append(part);
      TakeLine(std::exchange(partial_, {}));
    }
    bytes.remove_prefix(std::min(bytes.size(), newline + 1));
  }
  return breach_.empty();
}

void EventCollector::Finish() {
  if (breach_.empty() && !partial_.empty()) TakeLine(std::exchange(partial_, {}));
}

void EventCollector::TakeLine(std::string_view line) {
  ++line_number_;
  v1::WorkerEvent event;
  const std::string name = "line " + std::to_string(line_number_) + " of the runner's events, " + Excerpt(line) + ",";
  if (const Status status = FromJson(line, &event, name); !status.ok()) {
    Breach(status.message());
  } else if (result_.has_summary() || error_.has_value()) {
    Breach(name + " comes after its last one");
  } else {
    FollowPart(event);
    Take(&event);
  }
}

void EventCollector::FollowPart(const v1::WorkerEvent& event) {
  if (part_ == Part::kBefore && event.phase().name() == "measure") part_ = Part::kMeasured;
  const bool is_end = event.phase().name() == "finish" || event.has_result() || event.has_error();
  if (part_ == Part::kMeasured && is_end) part_ = Part::kBehind;
}

void EventCollector::Take(v1::WorkerEvent* event) {
  v1::RunEvent published;
  switch (event->event_case()) {
    case v1::WorkerEvent::kStarted:
      *result_.mutable_environment() = std::move(*event->mutable_started()->mutable_environment());
      break;
    case v1::WorkerEvent::kPhase:
      *published.mutable_phase() = std::move(*event->mutable_phase());
      publish_(std::move(published));
      break;
    case v1::WorkerEvent::kProgress:
      *published.mutable_progress() = std::move(*event->mutable_progress());
      publish_(std::move(published));
      break;
    case v1::WorkerEvent::kTrainingEpoch:
      *result_.add_training_epochs() = event->training_epoch();
      *published.mutable_training_epoch() = std::move(*event->mutable_training_epoch());
      publish_(std::move(published));
      break;
    case v1::WorkerEvent::kMetric:
      TakeMetric(std::move(*event->mutable_metric()));
      break;
    case v1::WorkerEvent::kSamples:
      TakeSamples(std::move(*event->mutable_samples()));
      break;
    case v1::WorkerEvent::kResult:
      result_.set_primary_metric(event->result().primary_metric());
      *result_.mutable_summary() = std::move(*event->mutable_result());
      break;
    case v1::WorkerEvent::kError:
      error_ = std::move(*event->mutable_error());
      break;
    case v1::WorkerEvent::kCeiling:
      TakeCeiling(std::move(*event->mutable_ceiling()));
      break;
    case v1::WorkerEvent::EVENT_NOT_SET:
      Breach("line " + std::to_string(line_number_) + " of the runner's events holds no event");
      break;
  }
}

// A later value of the same metric replaces the earlier.
void EventCollector::TakeMetric(v1::Metric metric) {
  for (v1::Metric& known : *result_.mutable_metrics()) {
    if (known.name() == metric.name()) {
      known = std::move(metric);
      return;
    }
  }
  *result_.add_metrics() = std::move(metric);
}

// Chunks of one series come in order and are put together again.
void EventCollector::TakeSamples(v1::Samples samples) {
  for (v1::Samples& known : *result_.mutable_samples()) {
    if (known.name() != samples.name()) continue;
    if (samples.first() != int64_t{known.first()} + known.values_size()) {
      Breach("line " + std::to_string(line_number_) + " of the runner's events leaves a gap in the samples of " +
             samples.name());
      return;
    }
    known.mutable_values()->Add(samples.values().begin(), samples.values().end());
    return;
  }
  *result_.add_samples() = std::move(samples);
}

// A later one of the same resource and dtype replaces the earlier.
void EventCollector::TakeCeiling(v1::Ceiling ceiling) {
  if (const Status status = CheckCeiling(ceiling); !status.ok()) {
    Breach("line " + std::to_string(line_number_) + " of the runner's events says what cannot be: " + status.message());
    return;
  }
  for (v1::Ceiling& known : *result_.mutable_ceilings()) {
    if (known.resource() == ceiling.resource() && known.dtype() == ceiling.dtype()) {
      known = std::move(ceiling);
      return;
    }
  }
  *result_.add_ceilings() = std::move(ceiling);
}

void EventCollector::Breach(const std::string& what) { breach_ = what; }

}  // namespace fleetmark::agent
