#include "tests/unit/cli/sample_runs.h"

#include "common/ids.h"
#include "tests/unit/cli/sample_evidence.h"

namespace fleetmark {
namespace {

void AddMetric(v1::Result* result, const std::string& name, const std::string& unit, double value, double half_width) {
  v1::Metric& metric = *result->add_metrics();
  metric.set_name(name);
  metric.set_unit(unit);
  metric.set_value(value);
  if (half_width <= 0) return;
  metric.set_n(901);
  metric.set_best(value * 1.05);
  metric.set_median(value * 1.001);
  metric.set_mean(value);
  metric.set_sd(half_width * 3);
  metric.set_mad(half_width * 2);
  metric.set_p5(value * 0.97);
  metric.set_p95(value * 1.03);
  metric.set_p99(value * 1.04);
  metric.set_ci_low(value - half_width);
  metric.set_ci_high(value + half_width);
}

void FillEnvironment(v1::Environment* environment) {
  environment->set_host("lab-3");
  environment->set_os("Debian GNU/Linux 12 (bookworm)");
  environment->set_kernel("6.1.0-18-amd64");
  environment->set_cpu_model("AMD EPYC 9B45");
  environment->set_cpu_count(2);
  environment->set_memory_bytes(25.2e9);
  environment->mutable_device()->set_name("cpu");
  environment->mutable_device()->set_model("AMD EPYC 9B45");
  environment->set_runtime("libtorch");
  environment->set_runtime_version("2.13.0");
  (*environment->mutable_versions())["mkl"] = "2025.2";
  (*environment->mutable_versions())["onednn"] = "3.9.1";
  environment->set_threads(2);
  environment->set_allocator("retain");
  environment->set_memory_format("contiguous");
  environment->set_dtype("fp32");
  environment->set_git_revision("0123456789ab");
  environment->set_build_type("Release");
  environment->set_compiler("GNU 12.2.0");
  environment->set_fleetmark_version("0.1.0");
}

v1::LeaderboardRow* AddRow(v1::Leaderboard* board, int rank, const std::string& system, double value) {
  v1::LeaderboardRow* row = board->add_rows();
  row->set_rank(rank);
  row->set_system(system);
  row->set_device_kind("cpu");
  row->set_value(value);
  row->set_source("published");
  return row;
}

v1::LeaderboardRow* AddMeasured(v1::Leaderboard* board, int rank, const std::string& system, double value,
                                double half) {
  v1::LeaderboardRow* row = AddRow(board, rank, system, value);
  row->set_source("measured");
  row->set_device("AMD EPYC 9B45");
  row->set_runtime("libtorch");
  row->set_profile("stock");
  row->set_ci_low(value - half);
  row->set_ci_high(value + half);
  row->set_n(400);
  row->set_verdict("UNCHECKED");
  row->set_run_id("k3v8q2m0x7d1f5t9h4b6");
  return row;
}

}  // namespace

v1::RunInfo SampleRun(const std::string& id, const std::string& state) {
  v1::RunInfo run;
  run.set_run_id((id + std::string(kIdLength, 'a')).substr(0, kIdLength));
  run.set_job_id(std::string(kIdLength, 'j'));
  run.set_repetition(1);
  run.set_workload("mnist_cnn");
  run.set_workload_version(1);
  run.set_runtime("libtorch");
  run.set_profile("tuned");
  run.set_agent("lab-3");
  run.set_device("cpu");
  (*run.mutable_parameters())["epochs"] = "1";
  run.set_state(state);
  run.set_submitted_unix_s(kSampleNow - 60);
  return run;
}

v1::RunInfo SampleSuccess(const std::string& id) {
  v1::RunInfo run = SampleRun(id, "succeeded");
  run.set_started_unix_s(kSampleNow - 50);
  run.set_finished_unix_s(kSampleNow - 20);
  run.set_note("after the BIOS update");
  v1::Result& result = *run.mutable_result();
  result.set_primary_metric("samples_per_s");
  AddMetric(&result, "samples_per_s", "samples/s", 2718.28, 12.3);
  AddMetric(&result, "step_s", "s", 0.023545, 0.00011);
  AddMetric(&result, "accuracy", "", 0.9871, 0);
  v1::TrainingEpoch& epoch = *result.add_training_epochs();
  epoch.set_epoch(1);
  epoch.set_epoch_s(22.07);
  epoch.set_loss(0.2011);
  epoch.set_val_accuracy(0.9871);
  v1::WorkerResult& summary = *result.mutable_summary();
  summary.set_stop_reason("epochs");
  summary.set_steps(901);
  summary.set_warmup_steps(37);
  summary.set_measured_s(21.2);
  (*summary.mutable_parameters())["batch"] = "64";
  (*summary.mutable_parameters())["epochs"] = "1";
  (*summary.mutable_data())["name"] = "mnist";
  summary.add_notes("the last batch of an epoch is smaller: it counts in the rates alone");
  v1::ProcessUsage& usage = *result.mutable_usage();
  usage.set_wall_s(29.4);
  usage.set_user_s(55.1);
  usage.set_system_s(1.2);
  usage.set_rss_peak_bytes(612e6);
  usage.set_load1_before(0.31);
  result.mutable_verdict()->set_kind("OK");
  result.mutable_verdict()->add_evidence("in order: the 95 % interval of samples_per_s is 0.905 % wide");
  FillEnvironment(result.mutable_environment());
  AddSampleEvidence(&result);
  v1::AttemptInfo& attempt = *run.add_attempts();
  attempt.set_number(1);
  attempt.set_agent("lab-3");
  attempt.set_state("stored");
  attempt.set_outcome("succeeded");
  attempt.set_started_unix_s(kSampleNow - 50);
  attempt.set_finished_unix_s(kSampleNow - 20);
  return run;
}

v1::RunInfo SampleThrottled(const std::string& id) {
  v1::RunInfo run = SampleSuccess(id);
  v1::Verdict& verdict = *run.mutable_result()->mutable_verdict();
  verdict.set_kind("THROTTLED");
  verdict.set_cause("heat");
  verdict.clear_evidence();
  verdict.add_evidence(
      "the CPU slowed itself down because of heat: its kernel counted throttle events during 20 % of the measured "
      "part");
  verdict.add_evidence("in order: other processes used 2.19 % of a CPU on average");
  verdict.add_evidence("not known: sensor rapl forbidden: its files may be read by root alone");
  return run;
}

v1::RunInfo SampleFailure(const std::string& id) {
  v1::RunInfo run = SampleRun(id, "failed");
  run.set_started_unix_s(kSampleNow - 50);
  run.set_finished_unix_s(kSampleNow - 49.5);
  run.mutable_failure()->set_kind("data_missing");
  run.mutable_failure()->set_message("MNIST is not in /srv/data/mnist");
  run.mutable_failure()->set_hint("fetch it on lab-3: fleetmark-agent data add mnist");
  v1::AttemptInfo& attempt = *run.add_attempts();
  attempt.set_number(1);
  attempt.set_agent("lab-3");
  attempt.set_state("stored");
  attempt.set_outcome("failed");
  *attempt.mutable_failure() = run.failure();
  attempt.set_started_unix_s(kSampleNow - 50);
  attempt.set_finished_unix_s(kSampleNow - 49.5);
  attempt.set_exit_code(104);
  attempt.set_stderr_tail("looking for train-images-idx3-ubyte\nnot there");
  return run;
}

v1::Leaderboard SampleLeaderboard() {
  v1::Leaderboard board;
  board.set_workload("tensor_add");
  board.set_workload_version(1);
  board.set_metric("it_per_s");
  board.set_unit("it/s");
  board.set_better("more");
  (*board.mutable_parameters())["n"] = "12288";
  (*board.mutable_parameters())["variant"] = "torchscript";
  v1::LeaderboardRow* gpu = AddRow(&board, 1, "Nvidia 3090 GPU", 670);
  gpu->set_device("NVIDIA GeForce RTX 3090");
  gpu->set_device_kind("gpu");
  gpu->set_published_in("\"A Simple PyTorch Implementation Benchmark\", 2023-04-10");
  AddMeasured(&board, 2, "lab-3", 71.23, 0.41);
  AddMeasured(&board, 2, "lab-4", 70.97, 0.52);
  v1::LeaderboardRow* derived = AddRow(&board, 4, "Apple M1 CPU", 48);
  derived->set_device("Apple M1");
  derived->set_derived(true);
  derived->set_note("14 x 60,000 / total_s");
  const auto flag = [](v1::LeaderboardRow* row, const char* verdict, const char* cause, const char* reason) {
    row->set_verdict(verdict);
    row->set_verdict_cause(cause);
    row->set_verdict_reason(reason);
  };
  flag(AddRow(&board, 0, "Nvidia RTX3060 GPU", 320), "IMPLAUSIBLE", "ceiling",
       "387 GB/s is 1.07 times the 360 GB/s that the card is specified for");
  flag(AddMeasured(&board, 0, "old-box", 12.1, 3), "THROTTLED", "heat",
       "the CPU slowed itself down because of heat: its kernel counted throttle events during 20 % of the measured "
       "part");
  board.add_other_boards("n=4096 variant=inplace");
  return board;
}

v1::TunedProfile SampleProfile() {
  v1::TunedProfile profile;
  profile.set_agent("lab-3");
  profile.set_device("cpu");
  profile.set_runtime("libtorch");
  profile.set_workload("mnist_cnn");
  profile.set_board("batch=64 data=mnist dtype=fp32");
  profile.set_metric("step_s");
  profile.set_unit("s");
  profile.set_kept_unix_s(kSampleNow);
  (*profile.mutable_settings())["allocator"] = "retain";
  (*profile.mutable_settings())["threads"] = "1";
  const auto add = [&](const char* name, double ratio, const char* verdict, const char* why) {
    v1::TunedCandidate& candidate = *profile.add_tried();
    candidate.set_name(name);
    candidate.set_verdict(verdict);
    candidate.set_why(why);
    candidate.set_loss_check("same");
    candidate.set_loss(0.28638);
    if (ratio == 0) return;
    candidate.set_rounds(8);
    candidate.set_value(0.0238 / ratio);
    candidate.set_ratio(ratio);
    candidate.set_ratio_low(ratio * 0.98);
    candidate.set_ratio_high(ratio * 1.03);
  };
  add("threads=1", 1.52, "kept", "");
  add("pinning=close", 1.48, "faster", "");
  add("tuned", 1.4, "baseline", "");
  add("allocator=stock", 1.1, "slower", "");
  add("stock", 1, "slower", "");
  add("memory_format=channels_last", 0, "excluded",
      "failed: kernels=fused needs device cpu and memory_format=contiguous");
  return profile;
}

}  // namespace fleetmark
