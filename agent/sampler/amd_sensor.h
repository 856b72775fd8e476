#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/sampler/gpu_report.h"
#include "agent/sampler/sensor.h"

namespace fleetmark {

// The sensor for AMD GPUs: "rocm_smi" where one of `libraries` loads, tried in order, else "amdgpu", which reads the
// kernel's files below `drm`. Neither tells what other processes use of a GPU, nor of a power brake. Which it is shows
// at the first read: to load a driver's library may hang, so nothing is loaded here. Until then it is "rocm_smi".
std::unique_ptr<Sensor> MakeAmdSensor(const std::vector<std::string>& libraries, const std::filesystem::path& drm);
// The same of this machine.
std::unique_ptr<Sensor> MakeAmdSensor();

// Which of the machine's AMD GPUs, whose unique ids are given as 16 hexadecimal digits ("" where one has none), is the
// run's: the one with its UUID, "GPU-" and that id; else, as LibTorch calls AMD's GPUs "cuda:N" too and our worker
// knows no UUID of theirs, the Nth. HIP's order is the kernel's unless HIP_VISIBLE_DEVICES changes it. NOT_FOUND if
// none is.
StatusOr<size_t> ChooseAmdGpu(const SensorSubject& subject, const std::vector<std::string>& unique_ids);

// The three series of what held the clock back, from `table`, the amdgpu driver's gpu_metrics. Only its version 1.3 has
// them in a form that is the same for all GPUs (struct gpu_metrics_v1_3 in the kernel's kgd_pp_interface.h).
void AddAmdThrottling(std::string_view table, GpuReport* report);

}  // namespace fleetmark
