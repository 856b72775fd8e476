#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include "tests/simulation/shrink.h"
#include "tests/simulation/world.h"

// Runs fleets made of the real cores from seeds, and checks the invariants of the protocol after every step.
namespace fleetmark::simulation {
namespace {

struct Options {
  uint64_t first = 1;
  uint64_t seeds = 2000;
  double minutes = 0;  // instead of `seeds`: goes on for so long
  int processes = 2;
  std::optional<uint64_t> seed;  // one alone
  bool is_traced = false;
  std::vector<size_t> keep;  // of its incidents; empty for all
};

void PrintIncidents(const Plan& plan, const std::vector<size_t>& indexes) {
  for (const size_t index : indexes) {
    std::printf("  %3zu %s\n", index, ToText(plan.incidents[index]).c_str());
  }
}

void PrintFailure(const Plan& plan, const Violation& violation) {
  std::printf("seed %lu violates invariant %d: %s\n", plan.seed, violation.invariant, violation.what.c_str());
  const std::vector<size_t> needed = Shrink(plan, violation.invariant);
  std::printf("%zu of its %zu incidents are enough:\n", needed.size(), plan.incidents.size());
  PrintIncidents(plan, needed);
  std::string list;
  for (const size_t index : needed) list += (list.empty() ? "" : ",") + std::to_string(index);
  std::printf("replay: simulate --seed %lu --keep %s --trace\n", plan.seed, list.c_str());
  std::fflush(stdout);
}

int RunOne(const Options& options) {
  Plan plan = MakePlan(*options.seed);
  if (!options.keep.empty()) plan = Keep(plan, options.keep);
  World world(plan, options.is_traced ? &std::cout : nullptr);
  const auto violation = world.Run();
  std::cout.flush();
  const World::Counts counts = world.counts();
  std::printf("seed %lu: %d agents, %zu incidents, %d workers, %d steps, %.0f s of its own time: %s\n", plan.seed,
              plan.agents, plan.incidents.size(), counts.spawns, counts.steps, counts.virtual_s,
              violation ? "VIOLATED" : "ok");
  if (!violation) return 0;
  PrintFailure(plan, *violation);
  return 1;
}

// Every `processes`-th seed from `first` on.
int RunMany(const Options& options, uint64_t first) {
  const auto started = std::chrono::steady_clock::now();
  const auto is_over = [&](uint64_t seed) {
    if (options.minutes == 0) return seed >= options.first + options.seeds;
    return std::chrono::steady_clock::now() - started > std::chrono::duration<double>(options.minutes * 60);
  };
  uint64_t seeds = 0, failed = 0, steps = 0, workers = 0;
  int most_agents = 0;
  for (uint64_t seed = first; !is_over(seed); seed += static_cast<uint64_t>(options.processes)) {
    const Plan plan = MakePlan(seed);
    World world(plan, nullptr);
    const auto violation = world.Run();
    ++seeds;
    steps += static_cast<uint64_t>(world.counts().steps);
    workers += static_cast<uint64_t>(world.counts().spawns);
    most_agents = std::max(most_agents, plan.agents);
    if (!violation) continue;
    ++failed;
    PrintFailure(plan, *violation);
  }
  std::printf("%lu seeds, %lu steps, %lu workers, up to %d agents: %lu violations\n", seeds, steps, workers,
              most_agents, failed);
  std::fflush(stdout);
  return failed == 0 ? 0 : 1;
}

int RunInProcesses(const Options& options) {
  std::vector<pid_t> children;
  for (int i = 1; i < options.processes; ++i) {
    const pid_t child = fork();
    if (child == 0) _exit(RunMany(options, options.first + static_cast<uint64_t>(i)));
    children.push_back(child);
  }
  int code = RunMany(options, options.first);
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) code = 1;
  }
  return code;
}

}  // namespace
}  // namespace fleetmark::simulation

int main(int argc, char** argv) {
  using fleetmark::simulation::Options;
  Options options;
  CLI::App app("Simulated fleets: the real cores under faults, by seed. Exits 1 when an invariant is violated.");
  app.add_option("--seeds", options.seeds, "How many")->capture_default_str();
  app.add_option("--first", options.first, "The first of them")->capture_default_str();
  app.add_option("--minutes", options.minutes, "Go on for so long instead");
  app.add_option("--processes", options.processes, "Side by side")->capture_default_str()->check(CLI::Range(1, 256));
  app.add_option("--seed", options.seed, "This one alone");
  CLI::Option* seed = app.get_option("--seed");
  app.add_flag("--trace", options.is_traced, "Print all that happens")->needs(seed);
  app.add_option("--keep", options.keep, "Only these of its incidents, by number")->delimiter(',')->needs(seed);
  CLI11_PARSE(app, argc, argv);
  return options.seed ? RunOne(options) : RunInProcesses(options);
}
