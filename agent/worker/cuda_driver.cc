#include "agent/worker/cuda_driver.h"

#include <dlfcn.h>

#include <array>
#include <cstddef>
#include <cstdio>

namespace fleetmark {
namespace {

// The few entry points of the CUDA driver API that are used, as cuda.h declares them. CUdevice is an int, CUresult an
// enum whose 0 is success.
struct Driver {
  int (*init)(unsigned flags);
  int (*get_count)(int* count);
  int (*get)(int* device, int ordinal);
  int (*get_name)(char* name, int length, int device);
  int (*get_uuid)(unsigned char* uuid, int device);
  int (*get_memory)(size_t* bytes, int device);
};

template <typename Function>
bool Load(void* library, const char* name, Function** function) {
  *function = reinterpret_cast<Function*>(dlsym(library, name));
  return *function != nullptr;
}

std::string UuidText(const std::array<unsigned char, 16>& uuid) {
  std::string text = "GPU-";
  for (size_t i = 0; i < uuid.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    std::array<char, 3> digits;
    std::snprintf(digits.data(), digits.size(), "%02x", uuid[i]);
    text += digits.data();
  }
  return text;
}

}  // namespace

std::vector<CudaGpu> ListCudaGpus() {
  std::vector<CudaGpu> gpus;
  void* library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);  // never closed: LibTorch uses it as well
  if (library == nullptr) return gpus;
  Driver driver;
  const bool loaded = Load(library, "cuInit", &driver.init) && Load(library, "cuDeviceGetCount", &driver.get_count) &&
                      Load(library, "cuDeviceGet", &driver.get) && Load(library, "cuDeviceGetName", &driver.get_name) &&
                      Load(library, "cuDeviceGetUuid", &driver.get_uuid) &&
                      Load(library, "cuDeviceTotalMem_v2", &driver.get_memory);
  int count = 0;
  if (!loaded || driver.init(0) != 0 || driver.get_count(&count) != 0) return gpus;
  for (int ordinal = 0; ordinal < count; ++ordinal) {
    CudaGpu gpu;
    int device = 0;
    std::array<char, 256> name{};
    std::array<unsigned char, 16> uuid{};
    size_t bytes = 0;
    if (driver.get(&device, ordinal) == 0) {
      if (driver.get_name(name.data(), static_cast<int>(name.size()), device) == 0) gpu.model = name.data();
      if (driver.get_uuid(uuid.data(), device) == 0) gpu.uuid = UuidText(uuid);
      if (driver.get_memory(&bytes, device) == 0) gpu.memory_bytes = static_cast<double>(bytes);
    }
    gpus.push_back(gpu);
  }
  return gpus;
}

}  // namespace fleetmark
