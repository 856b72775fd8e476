#pragma once

#include <optional>
#include <vector>

#include "agent/sampler/gpu_report.h"
#include "agent/sampler/sensor.h"

namespace fleetmark {

// A sensor that asks the library of a GPU's driver: it connects at the first read, and again, every few seconds at
// most, after the library or the GPU was not there or was lost. Only Read and End call into the library, so only they
// can hang; so does the destructor where there was no End. For one thread at a time.
class GpuLibrarySensor : public Sensor {
 public:
  void Begin(const SensorSubject& subject) override;
  v1::Sensor Read(double now_s, std::vector<Reading>* readings) override;
  void End() override;

 protected:
  // Finds the library and in it the GPU of `subject`. After a failure Disconnect follows.
  virtual Status Connect(const SensorSubject& subject) = 0;
  // Reads every quantity; false when the GPU or the library has to be found anew.
  virtual bool Ask(GpuReport* report) = 0;
  // Gives up what Connect took; may be called at any time.
  virtual void Disconnect() = 0;

 private:
  SensorSubject subject_;
  bool is_connected_ = false;
  std::optional<double> retry_at_s_;  // while not connected; unset: at once
  v1::Sensor last_;
};

}  // namespace fleetmark
