#include "coordinator/cli/render/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "coordinator/cli/render/text.h"

namespace fleetmark {
namespace {

using testing::HasSubstr;
using testing::Not;

Terminal Window(int width) { return Terminal{true, width, 24, false}; }

int WidestLine(const std::string& text) {
  std::istringstream stream(text);
  int widest = 0;
  for (std::string line; std::getline(stream, line);) widest = std::max(widest, DisplayWidth(line));
  return widest;
}

Table SampleTable() {
  Table table({{"NAME"}, {"STATE"}, {"MODEL", 50, 6}, {"NOTE", 10, 8}, {"N", 90, 0, Align::kRight}});
  table.AddRow({"lab-3", {"idle", Style::kGood}, "NVIDIA GeForce RTX 3090", "a long note about it", "12"});
  table.AddRow({"lab-44", "offline", "AMD EPYC 9B45", "", "3"});
  return table;
}

TEST(TableTest, PipedOutputIsWholeAndPlain) {
  EXPECT_EQ(SampleTable().Render(Terminal()),
            "NAME    STATE    MODEL                    NOTE                   N\n"
            "lab-3   idle     NVIDIA GeForce RTX 3090  a long note about it  12\n"
            "lab-44  offline  AMD EPYC 9B45                                   3\n");
}

TEST(TableTest, FitsEveryWidth) {
  for (int width = 10; width <= 80; ++width) {
    EXPECT_LE(WidestLine(SampleTable().Render(Window(width))), width) << "at " << width;
  }
}

TEST(TableTest, ShortensBeforeItLeavesOut) {
  const std::string text = SampleTable().Render(Window(55));
  EXPECT_THAT(text, HasSubstr("NOTE"));
  EXPECT_THAT(text, HasSubstr("…"));
}

TEST(TableTest, LeavesOutTheLeastImportantFirstAndNeverTheEssential) {
  const std::string narrow = SampleTable().Render(Window(32));
  EXPECT_THAT(narrow, Not(HasSubstr("NOTE")));
  EXPECT_THAT(narrow, HasSubstr("MODEL"));
  const std::string narrower = SampleTable().Render(Window(20));
  EXPECT_THAT(narrower, Not(HasSubstr("MODEL")));
  EXPECT_THAT(narrower, HasSubstr("offline"));
  EXPECT_THAT(SampleTable().Render(Window(12)), HasSubstr("NAME    STA…")) << "cut, but there";
}

TEST(TableTest, LeavesOutColumnsWithoutContent) {
  Table table({{"A"}, {"B"}, {"C"}});
  table.AddRow({"1", "", "3"});
  EXPECT_EQ(table.Render(Terminal()), "A  C\n1  3\n");
}

TEST(TableTest, ForeignTextCannotSteerTheTerminal) {
  Table table({{"A"}});
  table.AddRow({"x\x1b[2J\ny"});
  EXPECT_EQ(table.Render(Terminal()), "A\nx?[2J y\n");
}

TEST(TableTest, ColoursOnlyWhereTheTerminalHasThem) {
  Terminal terminal = Window(80);
  EXPECT_THAT(SampleTable().Render(terminal), Not(HasSubstr("\x1b")));
  terminal.colour = true;
  EXPECT_THAT(SampleTable().Render(terminal), HasSubstr("\x1b[32midle"));
  EXPECT_LE(WidestLine(SampleTable().Render(terminal)), 80);
}

}  // namespace
}  // namespace fleetmark
