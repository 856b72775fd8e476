#pragma once

// The series of a run's telemetry (Telemetry in run.proto), once each: the sampler writes them, the verdict and the
// reports read them by these names. Percentages of CPU time are of one CPU: 100 is one CPU kept busy.
namespace fleetmark::telemetry {

struct SeriesName {
  const char* name;
  const char* unit;
};

// The machine. Of one CPU: the name with ".N" behind it, as in "cpu_percent.3".
inline constexpr SeriesName kCpu = {"cpu_percent", "%"};  // whole machine, without idle and waiting for I/O
inline constexpr SeriesName kWorkerCpu = {"worker_cpu_percent", "%"};  // the worker and its descendants
// Of that, what the kernel took; and pages that it gave, for one the worker touched and did not have.
inline constexpr SeriesName kWorkerSystem = {"worker_system_percent", "%"};
inline constexpr SeriesName kWorkerPageFaults = {"worker_page_faults_per_s", "1/s"};
inline constexpr SeriesName kAgentCpu = {"agent_cpu_percent", "%"};  // this agent, its sampler included
inline constexpr SeriesName kOtherCpu = {"other_cpu_percent", "%"};  // everybody else on this machine
inline constexpr SeriesName kSteal = {"steal_percent", "%"};         // what the hypervisor gave to other machines
inline constexpr SeriesName kQuota = {"quota_throttled_percent",
                                      "%"};  // of the time, the control group's CPU quota held the worker
inline constexpr SeriesName kLoad1 = {"load1", ""};
inline constexpr SeriesName kMemoryUsed = {"memory_used_bytes", "B"};
inline constexpr SeriesName kWorkerRss = {"worker_rss_bytes", "B"};
inline constexpr SeriesName kDiskRead = {"disk_read_bytes_per_s", "B/s"};
inline constexpr SeriesName kDiskWrite = {"disk_write_bytes_per_s", "B/s"};
inline constexpr SeriesName kNetReceive = {"net_receive_bytes_per_s", "B/s"};
inline constexpr SeriesName kNetSend = {"net_send_bytes_per_s", "B/s"};
inline constexpr SeriesName kCpuClock = {"cpu_mhz", "MHz"};                           // mean over CPUs
inline constexpr SeriesName kCpuTemperature = {"cpu_temperature_c", "°C"};            // the hottest sensor
inline constexpr SeriesName kCpuHeatThrottles = {"cpu_heat_throttles_per_s", "1/s"};  // events that the kernel counted
inline constexpr SeriesName kPackagePower = {"package_power_w", "W"};                 // all packages together

// The run's GPU.
inline constexpr SeriesName kGpuUtil = {"gpu_util_percent", "%"};
inline constexpr SeriesName kGpuMemory = {"gpu_memory_bytes", "B"};
inline constexpr SeriesName kGpuClock = {"gpu_mhz", "MHz"};
inline constexpr SeriesName kGpuMemoryClock = {"gpu_memory_mhz", "MHz"};
inline constexpr SeriesName kGpuTemperature = {"gpu_temperature_c", "°C"};
inline constexpr SeriesName kGpuPower = {"gpu_power_w", "W"};
inline constexpr SeriesName kGpuOtherUtil = {"gpu_other_util_percent", "%"};  // of processes that are not the worker's
// What held its clock back, each 0 or 1.
inline constexpr SeriesName kGpuHeatThrottle = {"gpu_throttle_heat", ""};
inline constexpr SeriesName kGpuPowerCap = {"gpu_throttle_power_cap", ""};  // its power limit: usual under full load
inline constexpr SeriesName kGpuPowerBrake = {"gpu_throttle_power_brake", ""};  // an external brake, a failing supply

}  // namespace fleetmark::telemetry
