#include "tests/unit/cli/golden.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "coordinator/cli/render/text.h"

namespace fleetmark {

void ExpectGolden(const std::string& name, const std::string& text) {
  const std::string path = std::string(FLEETMARK_GOLDEN_DIR) + "/" + name + ".txt";
  if (std::getenv("FLEETMARK_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << text;
  std::ifstream file(path);
  ASSERT_TRUE(file) << path << " is missing";
  std::stringstream golden;
  golden << file.rdbuf();
  EXPECT_EQ(text, golden.str()) << "differs from " << path;
}

void ExpectFits(const std::string& text, int width) {
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) EXPECT_LE(DisplayWidth(line), width) << line;
}

Terminal Window(int width) { return Terminal{true, width, 24, false}; }

GoldenTest::GoldenTest() {
  setenv("TZ", "UTC", 1);
  tzset();
}

}  // namespace fleetmark
