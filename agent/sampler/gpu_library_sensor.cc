#include "agent/sampler/gpu_library_sensor.h"

namespace fleetmark {
namespace {

constexpr double kRetryS = 3;  // finding a driver's library and its GPUs may take long, and costs the machine

}  // namespace

void GpuLibrarySensor::Begin(const SensorSubject& subject) {
  subject_ = subject;
  is_connected_ = false;
  retry_at_s_.reset();
}

v1::Sensor GpuLibrarySensor::Read(double now_s, std::vector<Reading>* readings) {
  if (!GpuIndex(subject_.device)) return SensorState(name(), NotFound("the run is not on a GPU"));
  if (!is_connected_) {
    if (retry_at_s_ && now_s < *retry_at_s_) return last_;
    Disconnect();  // of the subject before
    const Status status = Connect(subject_);
    if (!status.ok()) {
      Disconnect();
      retry_at_s_ = now_s + kRetryS;
      return last_ = SensorState(name(), status);
    }
    is_connected_ = true;
  }
  GpuReport report(name(), readings);
  if (!Ask(&report) || !report.has_read()) {
    Disconnect();
    is_connected_ = false;
    retry_at_s_ = now_s + kRetryS;
  }
  return last_ = report.Finish();
}

void GpuLibrarySensor::End() {
  Disconnect();
  is_connected_ = false;
}

}  // namespace fleetmark
