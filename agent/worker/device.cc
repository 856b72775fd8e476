#include "agent/worker/device.h"

#include "agent/worker/cuda_driver.h"
#include "agent/worker/failure.h"
#include "agent/worker/torch_headers.h"
#include "common/host_info.h"
#include "common/suggest.h"

namespace fleetmark {

std::vector<DeviceInfo> ListDevices() {
  const HostInfo host = ReadHostInfo();
  std::vector<DeviceInfo> devices = {{"cpu", "cpu", host.cpu_model, "cpu", host.memory_bytes}};
  const size_t count = torch::cuda::is_available() ? static_cast<size_t>(torch::cuda::device_count()) : 0;
  if (count == 0) return devices;
  const std::vector<CudaGpu> gpus = ListCudaGpus();
  for (size_t index = 0; index < count; ++index) {
    DeviceInfo device = {"cuda:" + std::to_string(index), "cuda", "", "", 0};
    if (index < gpus.size()) {
      device.model = gpus[index].model;
      device.uuid = gpus[index].uuid;
      device.memory_bytes = gpus[index].memory_bytes;
    }
    if (device.uuid.empty()) device.uuid = device.name;
    devices.push_back(device);
  }
  return devices;
}

StatusOr<DeviceInfo> FindDevice(const std::string& name) {
  std::vector<std::string> names;
  for (const DeviceInfo& device : ListDevices()) {
    if (device.name == name || (name == "cuda" && device.kind == "cuda")) return device;
    names.push_back(device.name);
  }
  std::string hint = SuggestFrom(name, names);
  if (name.starts_with("cuda") && names.size() == 1) {
    if (!ListCudaGpus().empty()) {
      hint = "there is a GPU, but this worker's LibTorch was built without CUDA: build it with PyPI's wheel";
    } else {
      hint = "no NVIDIA driver with a GPU answers on this machine";
    }
  }
  return DeviceUnavailable("there is no device \"" + name + "\" on this machine", hint);
}

Status CheckHostMemory(const std::string& device, double bytes, const std::string& who, const std::string& hint) {
  const double there = ReadHostInfo().memory_bytes;
  if (device != "cpu" || bytes <= there) return OkStatus();
  const auto gigabytes = [](double count) { return std::to_string(static_cast<int>(count * 1e-9)) + " GB"; };
  return OutOfMemory(who + " needs " + gigabytes(bytes) + " and this machine has " + gigabytes(there), hint);
}

void SynchronizeDevice(const std::string& device) {
  const at::Device torch_device = TorchDevice(device);
  if (torch_device.is_cuda()) torch::cuda::synchronize(torch_device.index());
}

}  // namespace fleetmark
