#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "tests/simulation/apart.h"
#include "tests/simulation/explorer.h"
#include "tests/simulation/mutation.h"
#include "tests/simulation/shrink.h"

// Breaks the cores on purpose, one line at a time, and prints which seed of the simulator sees it.
namespace fleetmark::simulation {
namespace {

struct Mutant {
  const char* name;
  const char* meaning;
};
#include "mutant_table.h"

void PrintCaught(const Mutant& mutant, const std::string& by, const Violation& violation) {
  std::printf("%-24s %6s   %2d: %-70.70s | %s\n", mutant.name, by.c_str(), violation.invariant, violation.what.c_str(),
              mutant.meaning);
  std::fflush(stdout);
}

// By a small model: as in tests/simulation/CMakeLists.txt, and with one more loss where runs are long, and one
// more death where nothing is lost.
bool CatchInSmallModel(const Mutant& mutant) {
  active_mutant = mutant.name;
  for (const Model& model :
       {Model{.lost = 1, .crashes = 0}, Model{.is_any = true, .lost = 2, .crashes = 0},
        Model{.agents = 1, .runs = 1, .faults = 1}, Model{.agents = 1, .is_any = true, .faults = 1},
        Model{.agents = 1, .runs = 1, .lost = 0}}) {
    const Explored found = Explore(model, 1, nullptr);
    if (!found.violation) continue;
    PrintCaught(mutant, std::to_string(found.states), *found.violation);
    return true;
  }
  const Compared compared = CompareApart({}, 400, 0, nullptr);
  if (compared.violation) {
    PrintCaught(mutant, "apart", *compared.violation);
    return true;
  }
  std::printf("%-24s NOT CAUGHT | %s\n", mutant.name, mutant.meaning);
  std::fflush(stdout);
  return false;
}

// nullopt for the small models.
using Seeds = std::optional<uint64_t>;

bool Catch(const Mutant& mutant, Seeds seeds) {
  if (!seeds) return CatchInSmallModel(mutant);
  active_mutant = mutant.name;
  for (uint64_t seed = 1; seed <= *seeds; ++seed) {
    const auto violation = RunPlan(MakePlan(seed));
    if (!violation) continue;
    PrintCaught(mutant, std::to_string(seed), *violation);
    return true;
  }
  std::printf("%-24s NOT CAUGHT by %lu seeds | %s\n", mutant.name, *seeds, mutant.meaning);
  std::fflush(stdout);
  return false;
}

// Every `processes`-th mutant from `first` on; how many were not caught.
int CatchSome(const std::vector<Mutant>& mutants, size_t first, size_t processes, Seeds seeds) {
  int missed = 0;
  for (size_t i = first; i < mutants.size(); i += processes) missed += Catch(mutants[i], seeds) ? 0 : 1;
  return missed;
}

int Run(const std::string& only, Seeds seeds, size_t processes) {
  std::vector<Mutant> mutants(std::begin(kMutants), std::end(kMutants));
  if (!only.empty()) std::erase_if(mutants, [&](const Mutant& mutant) { return mutant.name != only; });
  if (mutants.empty()) {
    std::fprintf(stderr, "there is no mutant %s\n", only.c_str());
    return 2;
  }
  std::printf("%-24s %6s   %s\n", "MUTANT", seeds ? "SEED" : "STATES", "VIOLATED | WHAT IT STANDS FOR");
  std::fflush(stdout);
  std::vector<pid_t> children;
  for (size_t i = 1; i < processes; ++i) {
    const pid_t child = fork();
    if (child == 0) _exit(CatchSome(mutants, i, processes, seeds) == 0 ? 0 : 1);
    children.push_back(child);
  }
  bool is_all = CatchSome(mutants, 0, processes, seeds) == 0;
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    is_all = is_all && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  std::printf("%zu mutants: %s\n", mutants.size(), is_all ? "all caught" : "NOT ALL CAUGHT");
  return is_all ? 0 : 1;
}

}  // namespace
}  // namespace fleetmark::simulation

int main(int argc, char** argv) {
  std::string only;
  uint64_t seeds = 10'000;
  size_t processes = 2;
  CLI::App app("Mutants of the cores, and the seeds of the simulator that catch them. Exits 1 when one is not caught.");
  app.add_option("--mutant", only, "This one alone");
  auto* count = app.add_option("--seeds", seeds, "How many to try for each")->capture_default_str();
  bool is_small = false;
  app.add_flag("--small-models", is_small, "Instead of seeds the small models of `explore`")->excludes(count);
  app.add_option("--processes", processes, "Side by side")->capture_default_str()->check(CLI::Range(1, 256));
  CLI11_PARSE(app, argc, argv);
  return fleetmark::simulation::Run(only, is_small ? std::nullopt : std::optional(seeds), processes);
}
