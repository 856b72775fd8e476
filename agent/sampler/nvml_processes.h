#pragma once

#include <set>
#include <vector>

#include "agent/sampler/gpu_report.h"
#include "agent/sampler/nvml_api.h"

namespace fleetmark {

// How much of a GPU's compute time processes took that are not the run's.
//
// NVML names processes by their number on the host. In a container the worker has another, and everybody, the worker
// itself included, would be a stranger: nothing is told before NVML has named a process of the run.
class NvmlProcesses {
 public:
  // A new run, whose worker is `worker_pid`; it and what descends from it are the run's.
  void Begin(int worker_pid);

  // Adds gpu_other_util_percent, by the newest sample of each process. The first read adds nothing, since NVML's
  // samples reach back before the run, and none where NVML has no new sample: it takes about one a second. False when
  // the GPU is gone.
  bool Read(const nvml::Api& api, nvml::Device device, GpuReport* report);

 private:
  StatusOr<std::vector<nvml::ProcessSample>> NewSamples(const nvml::Api& api, nvml::Device device);
  void LookForWorker(const nvml::Api& api, nvml::Device device);
  bool IsOfRun(unsigned pid);

  int worker_pid_ = 0;
  std::set<unsigned> run_pids_;  // those of the run that were seen, also those that have ended since
  bool has_read_ = false;
  bool is_blind_ = false;  // there were samples, and none of the run's: that holds until one of its processes is named
  unsigned long long newest_us_ = 0;  // of the samples that were seen, on NVML's clock
};

}  // namespace fleetmark
