#pragma once

#include <cstddef>

#include "agent/sampler/dynamic_library.h"

// What is used of NVML's C interface, declared anew after NVIDIA's "NVML API Reference Guide"
// (docs.nvidia.com/deploy/nvml-api). Its names are in nvml_api.cc.
namespace fleetmark::nvml {

// nvmlReturn_t, an int; of more of them there is something to say than what nvmlErrorString says.
inline constexpr int kSuccess = 0;
inline constexpr int kUninitialized = 1;
inline constexpr int kNotSupported = 3;
inline constexpr int kNoPermission = 4;
inline constexpr int kNotFound = 6;
inline constexpr int kInsufficientSize = 7;
inline constexpr int kDriverNotLoaded = 9;
inline constexpr int kFunctionNotFound = 13;
inline constexpr int kGpuIsLost = 15;
inline constexpr int kResetRequired = 16;
inline constexpr int kOperatingSystem = 17;

inline constexpr int kClockSm = 1;  // nvmlClockType_t
inline constexpr int kClockMemory = 2;
inline constexpr int kTemperatureGpu = 0;  // nvmlTemperatureSensors_t

// nvmlClocksEventReasons, called nvmlClocksThrottleReasons before driver 535.
inline constexpr unsigned long long kSoftwarePowerCap = 0x4;
inline constexpr unsigned long long kHardwareSlowdown = 0x8;  // by half or more: heat, or a brake that has its own bit
inline constexpr unsigned long long kSoftwareThermalSlowdown = 0x20;
inline constexpr unsigned long long kHardwareThermalSlowdown = 0x40;
inline constexpr unsigned long long kHardwarePowerBrake = 0x80;

using Device = void*;  // nvmlDevice_t
struct Utilization {   // nvmlUtilization_t, percent of the last sample period
  unsigned gpu;        // during which a kernel was running
  unsigned memory;
};
struct Memory {  // nvmlMemory_t, bytes
  unsigned long long total;
  unsigned long long free;
  unsigned long long used;
};
struct ProcessSample {  // nvmlProcessUtilizationSample_t
  unsigned pid;
  unsigned long long time_us;
  unsigned sm;  // percent, as the others
  unsigned memory;
  unsigned encoder;
  unsigned decoder;
};
static_assert(sizeof(Memory) == 24 && sizeof(ProcessSample) == 32);

// The functions that `library` has; null where it has none.
struct Api {
  explicit Api(const DynamicLibrary& library);

  int (*init)();
  int (*shut_down)();
  const char* (*error_string)(int code);
  int (*get_count)(unsigned* count);
  int (*get_by_index)(unsigned index, Device* device);
  int (*get_by_uuid)(const char* uuid, Device* device);
  int (*get_utilization)(Device device, Utilization* utilization);
  int (*get_memory)(Device device, Memory* memory);
  int (*get_clock)(Device device, int clock, unsigned* mhz);
  int (*get_temperature)(Device device, int sensor, unsigned* celsius);
  int (*get_power)(Device device, unsigned* milliwatts);
  int (*get_clock_reasons)(Device device, unsigned long long* reasons);
  int (*get_process_samples)(Device device, ProcessSample* samples, unsigned* count, unsigned long long since_us);
  // Writes `*count` entries of `process_size` bytes each, which begin with the process's number, an unsigned.
  int (*get_processes)(Device device, unsigned* count, void* processes);
  size_t process_size = 0;

  // OK, or in words what `code` says: UNIMPLEMENTED of what this GPU does not have, PERMISSION_DENIED, NOT_FOUND
  // without a driver, UNAVAILABLE when the GPU or the session with NVML is gone, INTERNAL with nvmlErrorString's words.
  Status Explain(int code) const;
};

// What to say of a function that this NVML lacks.
Status Lacking();

}  // namespace fleetmark::nvml
