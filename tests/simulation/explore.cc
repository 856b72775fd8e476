#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <thread>

#include "tests/simulation/apart.h"
#include "tests/simulation/explorer.h"

namespace {

int Compare(const fleetmark::simulation::Model& model, size_t ways, uint64_t seed) {
  const auto compared = fleetmark::simulation::CompareApart(model, ways, seed, &std::cout);
  std::cout.flush();
  std::printf("%zu ways, %zu choices, of these %zu losses and %zu deaths", compared.ways, compared.choices,
              compared.losses, compared.deaths);
  if (!compared.violation) {
    std::printf(": the agents are apart\n");
    return 0;
  }
  std::printf("; --apart 1 --seed %zu: invariant %d is violated: %s\n", seed + compared.ways,
              compared.violation->invariant, compared.violation->what.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace fleetmark::simulation;
  Model model;
  CLI::App app(
      "Tries everything that can happen to a very small fleet of real cores. Exits 1 when an invariant is violated, "
      "the "
      "states were too many, or agents meddle with each other.");
  app.add_option("--agents", model.agents, "Each on a machine of its own")
      ->capture_default_str()
      ->check(CLI::Range(1, 4));
  app.add_option("--runs", model.runs, "Submitted at once")->capture_default_str()->check(CLI::Range(1, 8));
  auto* any =
      app.add_flag("--any", model.is_any,
                   "Long runs for any machine, whose leases may run out; else short ones, pinned to each in turn");
  app.add_option("--lost", model.lost, "Messages that may be lost")->capture_default_str()->check(CLI::Range(0, 100));
  app.add_option("--crashes", model.crashes, "Deaths of each process")
      ->capture_default_str()
      ->check(CLI::Range(0, 100));
  app.add_option("--faults", model.faults, "Losses and deaths together, at most")->check(CLI::Range(0, 1000));
  int threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  auto* at_once =
      app.add_option("--threads", threads, "That walk at once; with one the same way leads to a violation each time");
  at_once->capture_default_str()->check(CLI::Range(1, 256));
  auto* most = app.add_option("--most-states", model.most_states, "Give up after so many");
  most->capture_default_str()->check(CLI::Range(size_t{1}, size_t{4'000'000'000}));
  auto* doubt =
      app.add_flag("--doubt", model.is_doubted, "Check that states which count as one have the same successors (slow)");
  size_t ways = 0;
  uint64_t seed = 0;
  auto* apart = app.add_option("--apart", ways,
                               "Instead: so many ways at random; check that agents do not meddle with each other");
  apart->check(CLI::Range(size_t{1}, size_t{1'000'000'000}));
  for (CLI::Option* other : {any, at_once, most, doubt}) apart->excludes(other);
  app.add_option("--seed", seed, "Of those ways")->capture_default_str()->needs(apart)->check(CLI::NonNegativeNumber);
  CLI11_PARSE(app, argc, argv);
  if (*apart && model.agents < 2) {
    std::fprintf(stderr, "--apart compares agents with each other: --agents must be 2 at least\n");
    return 2;
  }
  if (*apart) return Compare(model, ways, seed);
  const auto started = std::chrono::steady_clock::now();
  const Explored found = Explore(model, threads, &std::cout);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  std::cout.flush();
  std::printf("%zu states, %zu transitions, %zu ends, depth %zu, %.1f s: %s\n", found.states, found.transitions,
              found.ends, found.depth, seconds, found.is_whole ? "the whole state space" : "NOT the whole state space");
  if (found.violation) {
    std::printf("after %zu choices, invariant %d is violated: %s\n", found.depth, found.violation->invariant,
                found.violation->what.c_str());
  }
  return found.is_whole ? 0 : 1;
}
