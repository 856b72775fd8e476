// A runner for tests (runtime "fake"): one workload for each way in which a runner can behave.
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "common/worker_protocol.h"

extern char** environ;

namespace {

using Json = nlohmann::json;

int event_descriptor = STDOUT_FILENO;

void WriteAll(int descriptor, const std::string& text) {
  for (size_t done = 0; done < text.size();) {
    const ssize_t size = write(descriptor, text.data() + done, text.size() - done);
    if (size <= 0) _exit(9);
    done += static_cast<size_t>(size);
  }
}

void Send(const Json& event) { WriteAll(event_descriptor, event.dump() + "\n"); }
void SendStarted() { Send({{"started", {{"environment", {{"runtime", "fake"}, {"runtime_version", "1"}}}}}}); }
void SendMetric(const std::string& name, const Json& value) {
  Send({{"metric", {{"name", name}, {"unit", "it/s"}, {"value", value}}}});
}
void SendResult(const Json& parameters = Json::object(), const Json& notes = Json::array()) {
  Send({{"result",
         {{"primary_metric", "it_per_s"},
          {"stop_reason", "steps"},
          {"steps", 10},
          {"parameters", parameters},
          {"notes", notes}}}});
}

void Wait(double seconds) {
  timespec time{static_cast<time_t>(seconds), static_cast<long>(std::fmod(seconds, 1.0) * 1e9)};
  nanosleep(&time, nullptr);
}

[[noreturn]] void WaitForever() {
  while (true) pause();
}

double Parameter(const Json& spec, const std::string& name, double otherwise) {
  const Json parameters = spec.value("parameters", Json::object());
  return parameters.contains(name) ? std::stod(parameters[name].get<std::string>()) : otherwise;
}

void Succeed(const Json& spec) {
  SendStarted();
  Send({{"phase", {{"name", "measure"}}}});
  const double seconds = Parameter(spec, "seconds", 0);
  const int steps = 10;
  for (int step = 0; step < steps; ++step) {
    if (seconds > 0) Wait(seconds / steps);
    Send({{"progress",
           {{"phase", "measure"}, {"done", step + 1}, {"total", steps}, {"rate", 5}, {"rate_unit", "it/s"}}}});
  }
  Send({{"training_epoch", {{"epoch", 1}, {"epoch_s", 0.5}, {"loss", 0.25}}}});
  Send({{"samples", {{"name", "step_s"}, {"unit", "s"}, {"first", 0}, {"values", {0.1, 0.2}}}}});
  Send({{"samples", {{"name", "step_s"}, {"unit", "s"}, {"first", 2}, {"values", {0.3}}}}});
  SendMetric("it_per_s", Parameter(spec, "value", 5));
  std::cerr << "fake: done\n";
  SendResult(spec.value("parameters", Json::object()));
}

// What the agent gave this process: environment, descriptors, process group, limits.
void Inspect(const Json& spec) {
  SendStarted();
  Json notes = Json::array();
  for (char** variable = environ; *variable != nullptr; ++variable) notes.push_back(*variable);
  int descriptors = -1;  // the directory's own
  DIR* directory = opendir("/proc/self/fd");
  while (const dirent* entry = readdir(directory)) descriptors += entry->d_name[0] == '.' ? 0 : 1;
  closedir(directory);
  notes.push_back("descriptors=" + std::to_string(descriptors));
  notes.push_back("dataset_dir=" + spec.value("dataset_dir", ""));
  notes.push_back(std::string("own_group=") + (getpgrp() == getpid() ? "yes" : "no"));
  int death_signal = 0;
  prctl(PR_GET_PDEATHSIG, &death_signal);
  notes.push_back("death_signal=" + std::to_string(death_signal));
  SendMetric("it_per_s", 1);
  SendResult(Json::object(), notes);
}

// As a worker: a ceiling that was given is what it was compared with, unless `value` passes it. Its notes tell what was
// given.
void Compare(const Json& spec) {
  SendStarted();
  const double value = Parameter(spec, "value", 5);
  Json ceiling = {{"resource", "memory"}, {"dtype", ""}, {"rate", value}, {"measured_unix_s", 7}};
  Json notes = Json::array();
  for (const Json& given : spec["ceilings"]) {
    notes.push_back(given.dump());
    if (given["rate"] >= value) ceiling = given;
  }
  Send({{"ceiling", ceiling}});
  SendMetric("it_per_s", value);
  SendResult(Json::object(), notes);
}

void StartGrandchild(bool leaves_session) {
  std::cerr << std::flush;
  if (fork() != 0) return;
  if (leaves_session) setsid();
  if (leaves_session && fork() != 0) _exit(0);
  signal(SIGTERM, SIG_IGN);
  WaitForever();
}

// A process that is a new one every few milliseconds, for a while.
void StartRunaway() {
  if (fork() != 0) return;
  setsid();
  for (int generation = 0; generation < 40; ++generation) {
    if (fork() != 0) _exit(0);
    Wait(0.0005);
  }
  WaitForever();
}

const std::map<std::string, std::function<void(const Json&)>>& Workloads() {
  static const std::map<std::string, std::function<void(const Json&)>> workloads = {
      {"noop", [](const Json&) { SendStarted(), SendMetric("it_per_s", 1), SendResult(); }},
      {"succeed", Succeed},
      {"inspect", Inspect},
      {"compare", Compare},
      {"crash",
       [](const Json&) {
         SendStarted();
         std::cerr << "about to crash\n" << std::flush;
         signal(SIGSEGV, SIG_DFL);  // a sanitizer would make an exit of it
         raise(SIGSEGV);
       }},
      {"exit", [](const Json& spec) { _exit(static_cast<int>(Parameter(spec, "code", 3))); }},
      {"fail",
       [](const Json&) {
         SendStarted();
         Send({{"error", {{"kind", "data_missing"}, {"message", "no data"}, {"hint", "add some"}}}});
         _exit(fleetmark::ExitCodeOfFailure("data_missing"));
       }},
      {"hang",
       [](const Json&) {
         signal(SIGTERM, SIG_IGN);
         SendStarted();
         WaitForever();
       }},
      {"rubbish", [](const Json&) { SendStarted(), WriteAll(event_descriptor, "\x01rubbish}\n"), WaitForever(); }},
      {"flood_events",
       [](const Json&) {
         const std::string line = Json({{"phase", {{"name", std::string(100'000, 'x')}}}}).dump() + "\n";
         while (true) WriteAll(event_descriptor, line);
       }},
      {"flood_progress",
       [](const Json& spec) {
         SendStarted();
         for (int i = 0; i < 20'000; ++i) Send({{"progress", {{"phase", "measure"}, {"done", i}}}});
         Succeed(spec);
       }},
      {"flood_stderr",
       [](const Json& spec) {
         for (int i = 0; i < 40; ++i) WriteAll(STDERR_FILENO, std::string(100'000, 'e') + "\n");
         WriteAll(STDERR_FILENO, "the last line \xff\n");
         Succeed(spec);
       }},
      {"giant_line", [](const Json&) { WriteAll(event_descriptor, std::string(3'000'000, 'g')), WaitForever(); }},
      {"out_of_memory", [](const Json&) { _exit(fleetmark::ExitCodeOfFailure("out_of_memory")); }},
      {"killed", [](const Json&) { raise(SIGKILL); }},
      {"daemonise",
       [](const Json&) {
         SendStarted();
         StartGrandchild(true);
         StartGrandchild(false);
         SendMetric("it_per_s", 1);
         SendResult();
       }},
      {"run_away",
       [](const Json&) {
         SendStarted();
         StartRunaway();
         SendMetric("it_per_s", 1);
         SendResult();
       }},
      {"hang_with_daemon",
       [](const Json&) {
         signal(SIGTERM, SIG_IGN);
         StartGrandchild(true);
         SendStarted();
         WaitForever();
       }},
      {"nan_metric", [](const Json&) { SendStarted(), SendMetric("it_per_s", "NaN"), SendResult(); }},
      {"no_result", [](const Json&) { SendStarted(); }},
      {"silent", [](const Json&) {}},
  };
  return workloads;
}

Json Describe() {
  const Json parameters = {
      {{"name", "seconds"},
       {"type", "double"},
       {"default_value", "0"},
       {"min", 0},
       {"max", 600},
       {"doc", "how long it takes"}},
      {{"name", "value"},
       {"type", "double"},
       {"default_value", "5"},
       {"min", 0},
       {"max", 1e9},
       {"doc", "its it_per_s"}},
      {{"name", "code"}, {"type", "int"}, {"default_value", "3"}, {"min", 0}, {"max", 255}, {"doc", "its exit code"}},
      {{"name", "threads"},
       {"type", "int"},
       {"default_value", "0"},
       {"min", 0},
       {"max", 64},
       {"doc", "threads, 0 for all"}},
      {{"name", "pinning"},
       {"type", "choice"},
       {"default_value", "none"},
       {"choices", {"none", "close", "spread"}},
       {"doc", "of the threads"}}};
  const Json metrics = {
      {{"name", "it_per_s"}, {"unit", "it/s"}, {"better", "more"}, {"aggregate", "median"}, {"doc", "its rate"}}};
  Json workloads = Json::array();
  for (const auto& [name, run] : Workloads()) {
    workloads.push_back({{"name", name},
                         {"version", 1},
                         {"doc", "a test's " + name},
                         {"parameters", parameters},
                         {"metrics", metrics},
                         {"device_kinds", {"cpu"}}});
  }
  Json devices = {{{"name", "cpu"}, {"kind", "cpu"}, {"model", "test"}, {"uuid", "cpu"}},
                  {{"name", "cuda:0"}, {"kind", "cuda"}, {"model", "test"}, {"uuid", "GPU-0"}}};
  return {{"runtime", "fake"}, {"runtime_version", "1"}, {"devices", devices}, {"workloads", workloads}};
}

// For those who count starts: a line of each, with its attempt, in the file `spawned` beside this program, if there is
// one.
void NoteStart(const std::string& program, const std::string& workload) {
  const std::string path = program.substr(0, program.rfind('/') + 1) + "spawned";
  const int file = open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (file < 0) return;
  const char* attempt = std::getenv("FLEETMARK_ATTEMPT");
  WriteAll(file, std::to_string(getpid()) + " " + workload + " " + (attempt == nullptr ? "" : attempt) + "\n");
  close(file);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string verb = argc == 2 ? argv[1] : "";
  if (verb == "describe") {
    std::cout << Describe().dump() << "\n";
    return 0;
  }
  if (verb != "run") {
    std::cerr << "use: fleetmark-fake-runner describe|run\n";
    return 2;
  }
  if (const char* variable = std::getenv(fleetmark::kEventFdVariable)) event_descriptor = std::atoi(variable);
  const std::string input{std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
  const Json spec = Json::parse(input);
  NoteStart(argv[0], spec.value("workload", ""));
  const auto found = Workloads().find(spec.value("workload", ""));
  if (found == Workloads().end()) return fleetmark::ExitCodeOfFailure("unsupported");
  found->second(spec);
  return 0;
}
