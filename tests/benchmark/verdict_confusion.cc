// How often the verdict is right: made-up runs with one known fault each, and clean ones, from seeds.
//   verdict_confusion [RUNS_OF_EACH [FIRST_SEED]]
// Prints the table of confusions; fails when fewer than 95 % of a fault's runs are flagged with the right cause, or
// more than 2 % of the clean ones are flagged.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "common/verdict.h"
#include "tests/fakes/traces.h"

namespace {

constexpr double kLeastRight = 0.95, kMostFlaggedClean = 0.02;

struct Row {
  int right = 0;
  std::map<std::string, int> wrong;  // by what it was called instead
};

Row Judge(const fleetmark::Fault& fault, int runs, uint64_t first_seed) {
  Row row;
  for (int run = 0; run < runs; ++run) {
    const fleetmark::v1::Verdict verdict =
        fleetmark::Judge(fleetmark::MakeTrace(fault, first_seed + static_cast<uint64_t>(run)));
    if (fleetmark::IsRight(fault, verdict)) {
      ++row.right;
    } else {
      ++row.wrong[verdict.kind() + (verdict.cause().empty() ? "" : " (" + verdict.cause() + ")")];
    }
  }
  return row;
}

}  // namespace

int main(int argc, char** argv) {
  const int runs = argc > 1 ? std::atoi(argv[1]) : 300;
  const uint64_t first_seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1000;
  if (runs < 1) {
    std::fprintf(stderr, "usage: verdict_confusion [RUNS_OF_EACH [FIRST_SEED]]\n");
    return 2;
  }
  bool holds = true;
  std::printf("%d runs of each\n%-22s %-28s %8s  %s\n", runs, "FAULT", "RIGHT VERDICT", "RIGHT", "CALLED INSTEAD");
  for (const fleetmark::Fault& fault : fleetmark::Faults()) {
    const Row row = Judge(fault, runs, first_seed);
    const double share = static_cast<double>(row.right) / runs;
    const bool is_clean = fault.kind == std::string("OK");
    holds = holds && share >= (is_clean ? 1 - kMostFlaggedClean : kLeastRight);
    const std::string causes = fault.causes;
    std::printf("%-22s %-28s %6.1f %%  ", fault.name,
                (fault.kind + (causes.empty() ? "" : " (" + causes + ")")).c_str(), 100 * share);
    for (const auto& [name, count] : row.wrong) std::printf("%d %s  ", count, name.c_str());
    std::printf("\n");
  }
  std::printf("%s: at least %.0f %% of each fault with the right cause, at most %.0f %% of the clean flagged\n",
              holds ? "holds" : "FALLS SHORT", 100 * kLeastRight, 100 * kMostFlaggedClean);
  return holds ? 0 : 1;
}
