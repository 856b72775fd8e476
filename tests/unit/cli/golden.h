#pragma once

#include <gtest/gtest.h>

#include <string>

#include "coordinator/cli/render/terminal.h"

namespace fleetmark {

// Compares with tests/golden/cli/<name>.txt. FLEETMARK_UPDATE_GOLDEN=1 writes the files anew: look at the difference
// then.
void ExpectGolden(const std::string& name, const std::string& text);

// No line is wider than `width` columns.
void ExpectFits(const std::string& text, int width);

// A terminal of that many columns without colour.
Terminal Window(int width);

// Times are shown in UTC.
class GoldenTest : public testing::Test {
 protected:
  GoldenTest();
};

}  // namespace fleetmark
