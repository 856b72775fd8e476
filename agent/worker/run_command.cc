#include "agent/worker/run_command.h"

#include <sys/resource.h>

#include <algorithm>
#include <utility>

#include "agent/worker/describe.h"
#include "agent/worker/failure.h"
#include "agent/worker/progress_reporter.h"
#include "agent/worker/run_loop.h"
#include "agent/worker/runtime_info.h"
#include "agent/worker/start_environment.h"
#include "agent/worker/steady_part.h"
#include "agent/worker/workload.h"
#include "common/host_info.h"
#include "common/suggest.h"
#include "common/vocabulary.h"
#include "common/warmup.h"

namespace fleetmark {
namespace {

// More are not sent: neighbours are averaged until they fit.
constexpr size_t kMostSamplesSent = 20000;
constexpr double kShortestCpuSample_s = 1e-3;
// Waiting for a GPU costs tens of microseconds, in which it idles.
constexpr double kShortestGpuSample_s = 2e-2;
// Of a known number of steps, on a CPU, where a sample costs nothing: as many as can be sent.
constexpr int64_t kFewestCpuSamples = kMostSamplesSent;

StatusOr<const WorkloadDefinition*> FindWorkload(const RunSpec& spec) {
  std::vector<std::string> names;
  for (const WorkloadDefinition& definition : AllWorkloads()) {
    names.push_back(definition.name);
    if (definition.name != spec.workload) continue;
    if (spec.workload_version != 0 && spec.workload_version != definition.version) {
      return BadParameter("this worker has version " + std::to_string(definition.version) + " of " + spec.workload +
                          ", not version " + std::to_string(spec.workload_version));
    }
    return &definition;
  }
  return BadParameter("there is no workload \"" + spec.workload + "\"", SuggestFrom(spec.workload, names));
}

// The parameters as they take effect: defaults, then the profile, then what was set.
StatusOr<Parameters> EffectiveParameters(const WorkloadDefinition& definition, const RunSpec& spec,
                                         const std::string& device_kind) {
  FLEETMARK_RETURN_IF_ERROR(CheckWord("profile", spec.profile, kProfiles));
  std::map<std::string, std::string> given = spec.parameters;
  if (const auto tuned = definition.tuned.find(device_kind);
      spec.profile == kTunedProfile && tuned != definition.tuned.end()) {
    given.insert(tuned->second.begin(), tuned->second.end());
    const auto dtype = spec.parameters.find("dtype");
    const bool is_fp32 = dtype == spec.parameters.end() || dtype->second == "fp32";
    if (definition.fused_is_fp32 && !is_fp32 && !spec.parameters.contains("kernels")) given.erase("kernels");
  }
  return Parameters::Parse(definition.parameters, given);
}

Status CheckDevice(const WorkloadDefinition& definition, const DeviceInfo& device, const Parameters& parameters) {
  const auto& kinds = definition.device_kinds;
  if (std::find(kinds.begin(), kinds.end(), device.kind) == kinds.end()) {
    return Unsupported(definition.name + " does not run on " + device.kind);
  }
  if (device.kind != "cuda" && parameters.Has("dtype") && parameters.Text("dtype") == "tf32") {
    return Unsupported("dtype=tf32 needs a CUDA device, not " + device.name, "take dtype=fp32");
  }
  return OkStatus();
}

// A run that never stops, or that stops within its warm-up, is refused before it starts.
Status CheckStopping(const StopRules& rules, const Parameters& parameters, int64_t steps_per_epoch) {
  if (rules.empty()) {
    return BadParameter("nothing would ever stop this run", "set steps, duration_s or until_ci above 0");
  }
  if (steps_per_epoch > 0 && parameters.Int("epochs") * steps_per_epoch <= parameters.Int("warmup")) {
    return BadParameter("warmup=" + parameters.Text("warmup") + " leaves nothing to measure of " +
                            parameters.Text("epochs") + " epochs of " + std::to_string(steps_per_epoch) + " steps",
                        "set warmup lower or epochs higher");
  }
  return OkStatus();
}

std::vector<double> Thinned(const std::vector<double>& values, size_t factor) {
  if (factor == 1) return values;
  std::vector<double> means;
  for (size_t first = 0; first < values.size(); first += factor) {
    const size_t count = std::min(factor, values.size() - first);
    double sum = 0;
    for (size_t i = first; i < first + count; ++i) sum += values[i];
    means.push_back(sum / static_cast<double>(count));
  }
  return means;
}

// How many neighbours are averaged into one that is sent.
size_t ThinningFactor(const LoopResult& loop) {
  return std::max<size_t>(1, (loop.step_s.size() + kMostSamplesSent - 1) / kMostSamplesSent);
}

// What a reader must know of the warm-up; "" where it was looked for and the run was steady behind it.
std::string WarmupNote(const LoopResult& loop) {
  if (loop.is_steady.value_or(false)) return "";
  const std::string left_out = "no more than the first " + std::to_string(loop.warmup_steps) + " steps were left out";
  if (loop.is_steady) {
    return "no steady state was reached: step times still changed when half of the run was over; " + left_out;
  }
  const std::string count = std::to_string(loop.step_s.size());
  if (loop.step_s.size() < kFewestForWarmup) {
    return count + " step times are too few to look for a warm-up among them; " + left_out;
  }
  return count + " step times hold some that are zero, so that no warm-up was looked for; " + left_out;
}

// Sends the step times and says in `notes` what one of them is.
void WriteSamples(const LoopResult& loop, EventWriter* writer, Json* notes) {
  const size_t factor = ThinningFactor(loop);
  writer->Samples("warmup_step_s", "s", Thinned(loop.warmup_step_s, factor));
  writer->Samples("step_s", "s", Thinned(loop.step_s, factor));
  if (loop.steps_per_sample > 1) {
    notes->push_back("each step time that the statistics use is the mean of up to " +
                     std::to_string(loop.steps_per_sample) + " consecutive steps");
  }
  if (factor > 1) {
    notes->push_back("the recorded step times are means of " + std::to_string(factor) +
                     " consecutive ones, the statistics are not");
  }
}

rusage OwnUsage() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage;
}

double ProcessSeconds() {
  const rusage usage = OwnUsage();
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

// What was measured around the loop.
struct Surroundings {
  double load1;  // before it; negative where unknown
  double loop_wall_s;
  double loop_process_s;
  double process_s;  // of the whole process, up to the end of the loop, as are the next two
  double wall_s;     // since main started
  double rss_peak_bytes;
};

// Sends the metrics and says in `notes` which have no interval.
void WriteMetrics(const MetricRecorder& recorder, EventWriter* writer, Json* notes) {
  for (const MetricValue& metric : recorder.metrics()) {
    writer->Metric(metric);
    if (!metric.sample || metric.interval.known || metric.is_best) continue;
    notes->push_back(std::string(metric.definition->name) + " has no 95 % interval: its " +
                     std::to_string(metric.sample->n) + " samples are too few or vary too much");
  }
}

void WriteResult(const WorkloadDefinition& definition, const Workload& workload, const Parameters& parameters,
                 const LoopResult& loop, const Surroundings& surroundings, KnownCeilings ceilings,
                 EventWriter* writer) {
  MetricRecorder recorder(std::move(ceilings));
  workload.RecordMetrics(loop, &recorder);
  for (const Ceiling& ceiling : recorder.ceilings().compared()) writer->Ceiling(ceiling);
  if (!recorder.Has("step_s"))
    recorder.RecordTimes("step_s", loop.measured_s / static_cast<double>(loop.steps), loop.step_s);
  recorder.Record("first_call_s", loop.first_call_s);
  if (surroundings.load1 >= 0) recorder.Record("load1", surroundings.load1);
  if (surroundings.loop_wall_s > 0) {
    recorder.Record("cpu_percent", 100 * surroundings.loop_process_s / surroundings.loop_wall_s);
  }
  recorder.Record("rss_peak_bytes", surroundings.rss_peak_bytes);
  Json notes = workload.Notes();
  for (const std::string& note : recorder.notes()) notes.push_back(note);
  if (!recorder.Has(definition.metrics.front())) {
    notes.push_back(definition.metrics.front() +
                    " has no value, so this run is on no board: it ended before an epoch did");
  }
  WriteMetrics(recorder, writer, &notes);
  if (const std::string note = WarmupNote(loop); !note.empty()) notes.push_back(note);
  WriteSamples(loop, writer, &notes);
  Json result = {{"primary_metric", definition.metrics.front()},
                 {"stop_reason", loop.stop_reason},
                 {"steps", loop.steps},
                 {"warmup_steps", loop.warmup_steps},
                 {"warmup_found", loop.warmup_found},
                 {"warmup_found_s", loop.warmup_found_s},
                 {"steps_per_sample", loop.steps_per_sample * static_cast<int64_t>(ThinningFactor(loop))},
                 {"measured_s", loop.measured_s},
                 {"wall_s", surroundings.wall_s},
                 {"process_s", surroundings.process_s},
                 {"parameters", parameters.values()},
                 {"data", workload.Data()},
                 {"notes", notes}};
  if (loop.is_steady) result["is_steady"] = *loop.is_steady;
  writer->Result(result);
}

}  // namespace

Status ExecuteRun(const RunSpec& spec, const std::optional<std::string>& standard_input, double main_started,
                  EventWriter* writer) {
  FLEETMARK_ASSIGN_OR_RETURN(const WorkloadDefinition* definition, FindWorkload(spec));
  if (!spec.runtime.empty() && spec.runtime != kOwnRuntime) {
    return BadParameter("this worker's runtime is " + std::string(kOwnRuntime) + ", not \"" + spec.runtime + "\"");
  }
  FLEETMARK_ASSIGN_OR_RETURN(const DeviceInfo device, FindDevice(spec.device));
  FLEETMARK_ASSIGN_OR_RETURN(Parameters parameters, EffectiveParameters(*definition, spec, device.kind));
  FLEETMARK_RETURN_IF_ERROR(CheckDevice(*definition, device, parameters));
  FLEETMARK_RETURN_IF_ERROR(CheckBlas());
  const auto threads = static_cast<int>(parameters.Int("threads"));
  FLEETMARK_RETURN_IF_ERROR(
      EnsureStartEnvironment({parameters.Text("allocator"), parameters.Text("pinning"), threads}, standard_input));
  parameters.Set("threads", std::to_string(SetThreads(threads > 0 ? threads : ThreadsOfPinning())));
  writer->Started(DescribeEnvironment(device, parameters.values()));

  writer->Phase("load");
  const std::unique_ptr<Workload> workload = definition->create();
  FLEETMARK_RETURN_IF_ERROR(workload->SetUp({parameters, device.name, spec.dataset_dir}));
  StopRules rules = StopRules::FromParameters(parameters, workload->StepsPerEpoch());
  FLEETMARK_RETURN_IF_ERROR(CheckStopping(rules, parameters, workload->StepsPerEpoch()));
  const bool is_cpu = device.kind == "cpu";
  const LoopOptions options = {.warmup_steps = parameters.Int("warmup"),
                               .shortest_sample_s = is_cpu ? kShortestCpuSample_s : kShortestGpuSample_s,
                               .fewest_samples = is_cpu ? kFewestCpuSamples : 1};
  const double load1 = ReadLoadAverage();
  const double wall_before = MonotonicClock().Now(), process_before = ProcessSeconds();
  StatusOr<LoopResult> loop = [&] {
    ProgressReporter reporter(writer, &rules);
    return RunLoop(workload.get(), options, &rules, MonotonicClock(), &reporter);
  }();
  if (!loop.ok()) return loop.status();
  // Before metrics are recorded, for which a ceiling may have to be measured.
  const double now = MonotonicClock().Now(), process_s = ProcessSeconds();
  const Surroundings surroundings = {.load1 = load1,
                                     .loop_wall_s = now - wall_before,
                                     .loop_process_s = process_s - process_before,
                                     .process_s = process_s,
                                     .wall_s = now - main_started,
                                     .rss_peak_bytes = 1024.0 * static_cast<double>(OwnUsage().ru_maxrss)};
  KeepSteadyPart(&*loop);
  WriteResult(*definition, *workload, parameters, *loop, surroundings, KnownCeilings(spec.ceilings), writer);
  return OkStatus();
}

}  // namespace fleetmark
