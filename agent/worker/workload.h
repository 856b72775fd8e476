#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/worker/metrics.h"
#include "agent/worker/parameters.h"
#include "common/status.h"

namespace fleetmark {

struct LoopResult;

// What a workload is set up with.
struct RunSetup {
  const Parameters& parameters;  // as they take effect; lives as long as the workload
  std::string device;            // "cpu", "cuda:0"; checked to be there
  std::string dataset_dir;       // "" when the machine has none
};

// What an epoch of training achieved. A loss that is not finite ends the run as diverged.
struct EpochScore {
  std::optional<double> loss = {};
  std::optional<double> accuracy = {};
  std::optional<double> val_loss = {};
  std::optional<double> val_accuracy = {};
};

// One run of one workload. The run loop calls SetUp once and then, from the same thread, Step as often as its stop
// rules want, with Synchronize before each reading of the clock. Exceptions of LibTorch, and a RunFailure, may leave
// any of them; the caller translates them.
class Workload {
 public:
  virtual ~Workload() = default;

  virtual Status SetUp(const RunSetup& setup) = 0;

  // Queues one step and returns how many samples it takes in (the batch; 1 where there are none). Timed: no I/O, no
  // waiting for the device beyond what the step itself needs.
  virtual int64_t Step() = 0;
  // Returns when the device has done all queued steps.
  virtual void Synchronize() = 0;

  // A workload that trains has epochs of this many steps; 0 where there are none, and then the next two are not called.
  virtual int64_t StepsPerEpoch() const { return 0; }
  virtual void BeginEpoch() {}
  // After the last step of an epoch, outside the timed part: evaluates.
  virtual EpochScore EndEpoch() { return {}; }
  // The training loss of the epoch that has begun, up to the last step, in the scale of EndEpoch's. Not timed.
  virtual double LossSoFar() { return 0; }

  // Adds the workload's metrics, primary first, by one Record... call each.
  virtual void RecordMetrics(const LoopResult& loop, MetricRecorder* recorder) const = 0;

  virtual std::map<std::string, std::string> Data() const { return {}; }  // "name", "sha256"
  virtual std::vector<std::string> Notes() const { return {}; }           // one sentence each
};

// A workload as `describe` prints it and as `run` makes it.
struct WorkloadDefinition {
  std::string name;
  int version = 1;
  std::string doc;
  std::vector<ParameterSpec> parameters;
  // Names of metrics.cc's table, the primary one first. Those that the run loop records are added to every workload's.
  std::vector<std::string> metrics;
  std::vector<std::string> device_kinds;
  // What profile `tuned` sets on a kind of device, unless the user did: the fastest settings that leave the computation
  // the same.
  std::map<std::string, std::map<std::string, std::string>> tuned;
  bool fused_is_fp32 = false;  // kernels=fused knows no other dtype: with one, `tuned` leaves the kernels as they are
  std::unique_ptr<Workload> (*create)() = nullptr;
};

// Every workload of workloads.def, sorted by name.
const std::vector<WorkloadDefinition>& AllWorkloads();

}  // namespace fleetmark
