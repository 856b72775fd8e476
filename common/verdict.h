#pragma once

#include "fleetmark/v1/run.pb.h"

// How far a result may be trusted, as one pure function of what is stored with it, so that whoever exports it can judge
// it again. docs/measurement.md gives the rules and their reasons in prose; every limit is here, once.
namespace fleetmark::verdict_limits {

// IMPLAUSIBLE
inline constexpr double kMostOfCeiling = 1.1;     // times the ceiling that the agent saw the device reach
inline constexpr double kMostOfForeign = 2;       // the same of a runtime that cannot measure anew what it passes
inline constexpr double kMostClaimedTime = 1.05;  // times the measured part as the agent's own clock saw it, and
inline constexpr double kClaimedTimeSlack_s = 0.25;
// THROTTLED
inline constexpr double kThrottledShare = 0.05;  // of the points, with a device's own word for heat or power
inline constexpr double kHeatEventsPerS = 0.2;   // that the kernel counted, of a run that works the CPUs:
inline constexpr double kBusyMachine = 0.5;      // of all CPUs
inline constexpr double kQuotaPercent = 5;       // of the time, held back by the quota
inline constexpr double kClockDrop = 0.12;       // of the clock, over a tenth of the run, while the device was as busy
inline constexpr double kSlowdown = 0.95;        // sustained against burst rate, and
inline constexpr double kStepSlower = 0.1;       // steps that after one place, and at the end, take so much longer
// INTERFERED, in percent of one CPU
inline constexpr double kOthersWhenFull = 20;         // where worker and others together fill the machine,
inline constexpr double kOthersOfFullMachine = 0.01;  // or that share of all CPUs, if it is more
inline constexpr double kFullMachine = 0.85;
inline constexpr double kOthersOnCpu = 60;       // where they do not
inline constexpr double kOthersOfMachine = 0.1;  // or that share of all CPUs, if it is more
inline constexpr double kOthersForAWhile = 0.1;  // of the points, in which the others reach the limit
inline constexpr double kStealOfWorker = 0.05;   // share of the worker's CPU time
inline constexpr double kOthersOnGpu = 5;        // percent of the GPU
// NOISY
inline constexpr double kWidestInterval = 0.05;     // of the value, from end to end
inline constexpr double kMostDrift = 0.05;          // from the first step to the last, with
inline constexpr double kLeastTrend = 0.5;          // of the variance explained by it
inline constexpr double kMostBetweenHalves = 0.05;  // of step times that did not settle within the first
inline constexpr double kFaultStep = 0.05;  // of the step time, by which it changed where page faults are behind it:
inline constexpr double kFaultShare = 0.5;  // they account for so much of the change, at the kernel's time for each,
inline constexpr double kMostPerFault_s = 2.5e-4;  // at most; a huge page takes that
// UNCHECKED below
inline constexpr size_t kFewestPoints = 3;          // in which something is known, and
inline constexpr double kLeastSeen = 1.0 / 3;       // of those of the measured part
inline constexpr double kLeastClaimedTime = 0.5;    // times the measured part as the agent saw it, less
inline constexpr double kUnclaimedTimeSlack_s = 1;  // where no evaluation explains the rest

}  // namespace fleetmark::verdict_limits

namespace fleetmark {

// The gravest that speaks against the result: IMPLAUSIBLE, THROTTLED, INTERFERED, NOISY, in this order; OK when nothing
// does; UNCHECKED when nothing does and there was no telemetry of the measured part, or none of the GPU that did the
// work, or where the steps account for little of that part. The evidence begins with what decided, for UNCHECKED with
// what is missing; then what else speaks against it, what was looked at and found in order, and what could not be
// looked at. Reads metrics, samples "step_s", summary, steadiness, telemetry, ceilings and environment; of the verdict
// nothing.
v1::Verdict Judge(const v1::Result& result);

}  // namespace fleetmark
