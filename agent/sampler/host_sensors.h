#pragma once

#include <filesystem>
#include <memory>

#include "agent/sampler/sensor.h"

// What the kernel says of the machine and of the worker. Each takes the directory in which it finds /proc and /sys, and
// looks at nothing before its Begin.
namespace fleetmark {

// "proc": CPU time of the machine, of the worker and of this agent, what is left of it for all others, load, memory.
std::unique_ptr<Sensor> MakeProcSensor(std::filesystem::path root = "/");
// "disk": traffic of whole disks, without those made of other disks, of memory or of files.
std::unique_ptr<Sensor> MakeDiskSensor(std::filesystem::path root = "/");
// "net": traffic of all interfaces of the agent's network but the machine with itself.
std::unique_ptr<Sensor> MakeNetSensor(std::filesystem::path root = "/");
// "cpu_quota": how long the CPU quota of the worker's control group, or of one above it, held it back.
std::unique_ptr<Sensor> MakeQuotaSensor(std::filesystem::path root = "/");
// "cpufreq": clock of the CPUs.
std::unique_ptr<Sensor> MakeCpuClockSensor(std::filesystem::path root = "/");
// "hwmon": temperature of the CPUs, from their hardware monitors and thermal zones.
std::unique_ptr<Sensor> MakeTemperatureSensor(std::filesystem::path root = "/");
// "heat_throttles": how often CPUs slowed down because of heat (Intel).
std::unique_ptr<Sensor> MakeHeatThrottleSensor(std::filesystem::path root = "/");
// "rapl": power of the CPU packages; most kernels let only root read it.
std::unique_ptr<Sensor> MakeRaplSensor(std::filesystem::path root = "/");

}  // namespace fleetmark
