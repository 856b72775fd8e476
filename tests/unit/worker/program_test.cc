#include <gtest/gtest.h>
#include <stdio.h>
#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "agent/worker/event_writer.h"
#include "common/worker_protocol.h"

namespace fleetmark {
namespace {

struct Output {
  int exit_code = -1;
  std::string text;
  std::vector<Json> Lines() const {
    std::vector<Json> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(Json::parse(line));
    return lines;
  }
};

// Runs the worker through the shell: `arguments` may redirect its output, `input` is what it reads.
Output RunWorker(const std::string& arguments, const std::string& environment = "", const std::string& input = "") {
  const std::string command = "echo '" + input + "' | " + environment + " '" FLEETMARK_WORKER "' " + arguments;
  FILE* pipe = popen(command.c_str(), "r");
  Output output;
  char buffer[4096];
  for (size_t count = 0; (count = fread(buffer, 1, sizeof(buffer), pipe)) > 0;) output.text.append(buffer, count);
  const int status = pclose(pipe);
  output.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return output;
}

void ExpectFailure(const std::string& arguments, int exit_code, const std::string& kind, const std::string& word,
                   const std::string& input = "") {
  const Output output = RunWorker(arguments + " 2>/dev/null", "", input);
  EXPECT_EQ(output.exit_code, exit_code) << arguments;
  const std::vector<Json> lines = output.Lines();
  ASSERT_FALSE(lines.empty()) << arguments;
  EXPECT_EQ(lines.back()["error"]["kind"], kind) << arguments;
  const std::string message = lines.back()["error"].dump();
  EXPECT_NE(message.find(word), std::string::npos) << message;
}

TEST(WorkerProgram, DescribesItself) {
  const Output output = RunWorker("describe");
  EXPECT_EQ(output.exit_code, 0);
  const Json runner = Json::parse(output.text);
  EXPECT_EQ(runner["runtime"], "libtorch");
  EXPECT_GE(runner["workloads"].size(), 2u);
}

TEST(WorkerProgram, RunsTensorAddFromStartToResult) {
  const Output output = RunWorker("run tensor_add --set n=256 --set steps=2000 --set threads=1");
  ASSERT_EQ(output.exit_code, 0);
  const std::vector<Json> lines = output.Lines();
  EXPECT_TRUE(lines.front().contains("started"));
  EXPECT_EQ(lines.front()["started"]["environment"]["threads"], 1);
  const Json& result = lines.back()["result"];
  EXPECT_EQ(result["primary_metric"], "it_per_s");
  EXPECT_EQ(result["stop_reason"], "steps");
  EXPECT_EQ(result["steps"].get<int>() + result["warmup_found"].get<int>(), 2000);
  EXPECT_EQ(result["warmup_steps"].get<int>(), 5 + result["warmup_found"].get<int>());
  EXPECT_TRUE(result.contains("is_steady"));
  EXPECT_GE(result["steps_per_sample"], 1);
  EXPECT_EQ(result["parameters"]["n"], "256");
  EXPECT_EQ(result["parameters"]["threads"], "1");
  EXPECT_EQ(result["parameters"]["variant"], "torchscript");
  bool primary = false, samples = false;
  for (const Json& line : lines) {
    primary = primary || (line.contains("metric") && line["metric"]["name"] == "it_per_s");
    samples = samples || (line.contains("samples") && line["samples"]["name"] == "step_s");
  }
  EXPECT_TRUE(primary);
  EXPECT_TRUE(samples);
}

TEST(WorkerProgram, ReadsASpecificationAndWritesToTheNamedDescriptor) {
  const std::string spec =
      R"({"workload":"tensor_add","workload_version":1,"runtime":"libtorch","device":"cpu","profile":"stock",)"
      R"("parameters":{"n":"256","steps":"10"},"dataset_dir":""})";
  const Output output = RunWorker("run 7>&1 >/dev/null", "FLEETMARK_EVENT_FD=7", spec);
  EXPECT_EQ(output.exit_code, 0);
  ASSERT_FALSE(output.Lines().empty());
  const Json result = output.Lines().back()["result"];
  EXPECT_EQ(result["steps"], 10);
  EXPECT_FALSE(result.contains("is_steady"));
  EXPECT_NE(result["notes"].dump().find("10 step times are too few to look for a warm-up"), std::string::npos);
}

TEST(WorkerProgram, TellsTheCeilingThatItWasGivenAndComparedWith) {
  const std::string spec = R"({"workload":"matmul","parameters":{"n":"64","steps":"10"},"ceilings":[)"
                           R"({"resource":"memory","dtype":"","rate":5.0,"measured_unix_s":6.0},)"
                           R"({"resource":"arithmetic","dtype":"fp32","rate":1e30,"measured_unix_s":7.0}]})";
  const Output output = RunWorker("run", "", spec);
  ASSERT_EQ(output.exit_code, 0) << output.text;
  std::vector<Json> told;
  for (const Json& line : output.Lines()) {
    if (line.contains("ceiling")) told.push_back(line["ceiling"]);
  }
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].dump(), R"({"resource":"arithmetic","dtype":"fp32","rate":1e+30,"measured_unix_s":7.0})");
}

TEST(WorkerProgram, TakesTheRetainAllocatorForProfileTunedByHand) {
  const std::string spec = R"({"workload":"tensor_add","profile":"tuned","parameters":{"n":"256","steps":"10"}})";
  for (const Output& output :
       {RunWorker("run tensor_add --set n=256 --set steps=10 --profile tuned"), RunWorker("run", "", spec)}) {
    ASSERT_EQ(output.exit_code, 0) << output.text;
    EXPECT_EQ(output.Lines().front()["started"]["environment"]["allocator"], "retain");
    EXPECT_EQ(output.Lines().back()["result"]["parameters"]["allocator"], "retain");
  }
}

TEST(WorkerProgram, WhatIsSetBeatsTheProfileAndTheEnvironment) {
  const Output output = RunWorker("run tensor_add --set n=256 --set steps=10 --profile tuned --set allocator=stock",
                                  std::string(kGlibcTunablesVariable) + "=" + kRetainTunables);
  ASSERT_EQ(output.exit_code, 0);
  EXPECT_EQ(output.Lines().front()["started"]["environment"]["allocator"], "stock");
}

TEST(WorkerProgram, PinsItsThreadsByHandAndStillCountsTheCores) {
  const std::string spec = R"({"workload":"tensor_add","parameters":{"n":"256","steps":"10","pinning":"close"}})";
  const Output plain = RunWorker("run tensor_add --set n=256 --set steps=10");
  const Output pinned = RunWorker("run", "", spec);
  ASSERT_EQ(pinned.exit_code, 0) << pinned.text;
  const Json parameters = pinned.Lines().back()["result"]["parameters"];
  EXPECT_EQ(parameters["pinning"], "close");
  EXPECT_EQ(parameters["threads"], plain.Lines().back()["result"]["parameters"]["threads"]);
  const std::string bound = std::string(kBindVariable) + "=close " + kPlacesVariable + "=" + kPlaces;
  const Output freed = RunWorker("run tensor_add --set n=256 --set steps=10", bound + " " + kThreadsVariable + "=1");
  ASSERT_EQ(freed.exit_code, 0) << freed.text;
  EXPECT_EQ(freed.Lines().back()["result"]["parameters"], plain.Lines().back()["result"]["parameters"])
      << "what is set beats the environment";
  for (const std::string& half : {bound, std::string(kPlacesVariable) + "=" + kPlaces}) {
    EXPECT_EQ(RunWorker("run tensor_add --set n=256 --set steps=10", half).exit_code, 108) << half;
  }
}

TEST(WorkerProgram, EveryDeliberateFailureHasItsKindAndExitCode) {
  ExpectFailure("run tensor_ad", 101, "bad_parameter", "tensor_add");
  ExpectFailure("run tensor_add --set n=12", 101, "bad_parameter", "256");
  ExpectFailure("run tensor_add --set nn=12", 101, "bad_parameter", "did you mean n?");
  ExpectFailure("run tensor_add --set variant=inplaced", 101, "bad_parameter", "inplace");
  ExpectFailure("run tensor_add --profile fast", 101, "bad_parameter", "stock");
  ExpectFailure("run tensor_add --set duration_s=0", 101, "bad_parameter", "stop");
  ExpectFailure("run mnist_cnn --set data=synthetic --set epochs=1 --set warmup=100", 101, "bad_parameter", "warmup");
  ExpectFailure("run", 101, "bad_parameter", "JSON");
  ExpectFailure("run", 101, "bad_parameter", "version 99", R"({"workload":"tensor_add","workload_version":99})");
  ExpectFailure("run", 101, "bad_parameter", "keras-jax", R"({"workload":"tensor_add","runtime":"keras-jax"})");
  ExpectFailure("run tensor_add --device cuda:99", 102, "device_unavailable", "cuda:99");
  ExpectFailure("run mnist_cnn", 104, "data_missing", "fleetmark-agent data add mnist");
  ExpectFailure("run mnist_cnn --dataset-dir /nonexistent", 104, "data_missing", "train-images-idx3-ubyte");
  ExpectFailure("run mnist_cnn --set data=synthetic --set dtype=tf32", 108, "unsupported", "tf32");
  ExpectFailure("frobnicate", 101, "bad_parameter", "frobnicate");
}

TEST(WorkerProgram, EndsWhenNobodyReadsItsEvents) {
  // head closes the pipe after the first line; without that being noticed the run would take an hour.
  const Output output = RunWorker("run tensor_add --set n=256 --set duration_s=3600 2>/dev/null | head -n 1");
  EXPECT_EQ(output.Lines().size(), 1u);
}

TEST(WorkerProgram, HelpAndVersion) {
  EXPECT_NE(RunWorker("--help").text.find("--dataset-dir"), std::string::npos);
  EXPECT_NE(RunWorker("--version").text.find("fleetmark-worker "), std::string::npos);
}

}  // namespace
}  // namespace fleetmark
