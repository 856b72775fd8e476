#include <gtest/gtest.h>

#include "tests/simulation/mutation.h"

// The named interleavings with one mutant of the cores switched on: interleavings_mutants MUTANT [--gtest_filter=...].
int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc > 1) fleetmark::simulation::active_mutant = argv[1];
  return RUN_ALL_TESTS();
}
