#include "agent/sampler/nvml_processes.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <map>
#include <string>

#include "agent/sampler/process_stat.h"

namespace fleetmark {
namespace {

constexpr unsigned kMostProcesses = 100'000;  // more is no count but nonsense
constexpr unsigned kRoomForNew = 16;          // processes that begin between the question how many and the list

}  // namespace

void NvmlProcesses::Begin(int worker_pid) {
  worker_pid_ = worker_pid;
  run_pids_.clear();
  has_read_ = false;
  is_blind_ = false;
  newest_us_ = 0;
}

bool NvmlProcesses::Read(const nvml::Api& api, nvml::Device device, GpuReport* report) {
  const auto samples = NewSamples(api, device);
  if (!samples.ok()) {
    report->Miss({&telemetry::kGpuOtherUtil}, samples.status());
    return samples.status().code() != StatusCode::kUnavailable;
  }
  LookForWorker(api, device);
  std::map<unsigned, nvml::ProcessSample> latest;
  for (const nvml::ProcessSample& sample : *samples) {
    nvml::ProcessSample& of_process = latest[sample.pid];
    if (sample.time_us > of_process.time_us) of_process = sample;
    newest_us_ = std::max(newest_us_, sample.time_us);
  }
  double others = 0;
  bool is_nonsense = false;
  for (const auto& [pid, sample] : latest) {
    if (IsOfRun(pid)) continue;
    is_nonsense = is_nonsense || sample.sm > 100;
    others += sample.sm;
  }
  const bool is_first = !has_read_;
  has_read_ = true;
  // NVML has new samples at some reads alone; that nobody can be told apart is no less true at the others.
  if (is_first || (latest.empty() && !is_blind_)) return true;
  is_blind_ = run_pids_.empty();
  if (is_blind_) {
    report->Miss({&telemetry::kGpuOtherUtil},
                 Status(StatusCode::kUnimplemented, "NVML names no process of the run, so nobody can be told from it"));
  } else if (!latest.empty()) {
    // Shares that are rounded one by one may add up to a little more than all.
    report->Add(telemetry::kGpuOtherUtil, is_nonsense ? others : std::min(others, 100.0));
  }
  return true;
}

StatusOr<std::vector<nvml::ProcessSample>> NvmlProcesses::NewSamples(const nvml::Api& api, nvml::Device device) {
  std::vector<nvml::ProcessSample> samples;
  if (api.get_process_samples == nullptr) return nvml::Lacking();
  unsigned count = 0;
  int code = api.get_process_samples(device, nullptr, &count, newest_us_);
  if ((code == nvml::kSuccess || code == nvml::kInsufficientSize) && count > 0) {
    if (count > kMostProcesses) return Internal("NVML counts " + std::to_string(count) + " processes on this GPU");
    count += kRoomForNew;
    samples.resize(count);
    code = api.get_process_samples(device, samples.data(), &count, newest_us_);
  }
  if (code != nvml::kSuccess && code != nvml::kNotFound) {  // not found: nothing new
    return api.Explain(code);
  }
  samples.resize(code == nvml::kSuccess ? std::min<size_t>(count, samples.size()) : 0);
  // Entries that the driver did not fill in, and those that were seen.
  std::erase_if(samples, [this](const auto& sample) { return sample.pid == 0 || sample.time_us <= newest_us_; });
  return samples;
}

// A worker whose kernels are too short for a whole percent has no samples, but is in the list.
void NvmlProcesses::LookForWorker(const nvml::Api& api, nvml::Device device) {
  if (!run_pids_.empty() || api.get_processes == nullptr) return;
  unsigned count = 0;
  const int code = api.get_processes(device, &count, nullptr);
  if ((code != nvml::kSuccess && code != nvml::kInsufficientSize) || count == 0 || count > kMostProcesses) return;
  count += kRoomForNew;
  std::vector<std::byte> list(count * api.process_size);
  if (api.get_processes(device, &count, list.data()) != nvml::kSuccess) return;
  for (size_t at = 0; at < std::min(count * api.process_size, list.size()); at += api.process_size) {
    unsigned pid = 0;
    std::memcpy(&pid, list.data() + at, sizeof pid);
    IsOfRun(pid);
  }
}

bool NvmlProcesses::IsOfRun(unsigned pid) {
  if (run_pids_.count(pid) != 0) return true;
  if (!DescendsFrom(static_cast<int>(pid), worker_pid_)) return false;
  run_pids_.insert(pid);
  return true;
}

}  // namespace fleetmark
