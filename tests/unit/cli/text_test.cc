#include "coordinator/cli/render/text.h"

#include <gtest/gtest.h>

namespace fleetmark {
namespace {

TEST(DisplayWidthTest, CountsColumnsAndNotBytes) {
  EXPECT_EQ(DisplayWidth("abc"), 3);
  EXPECT_EQ(DisplayWidth("71 ± 1"), 6);
  EXPECT_EQ(DisplayWidth("機械"), 4);
  EXPECT_EQ(DisplayWidth("e\xCC\x81"), 1) << "a combining accent takes no column";
  EXPECT_EQ(DisplayWidth("\x1b[31mred\x1b[0m"), 3);
}

TEST(ShortenTest, EndsWithAnEllipsisWithinTheWidth) {
  EXPECT_EQ(Shorten("abcdef", 6), "abcdef");
  EXPECT_EQ(Shorten("abcdef", 4), "abc…");
  EXPECT_EQ(Shorten("ab cdef", 4), "ab…") << "no space before the ellipsis";
  EXPECT_EQ(Shorten("abc", 0), "");
}

TEST(ShortenTest, CutsBetweenCharactersAndNeverInsideOne) {
  EXPECT_EQ(Shorten("機械学習", 5), "機械…");
  EXPECT_EQ(Shorten("機械学習", 4), "機…") << "half a wide character would not fit";
}

TEST(PrintableTest, TakesTheTeethOutOfEscapeSequences) {
  EXPECT_EQ(Printable("a\x1b[2Jb\nc"), "a?[2Jb c");
  EXPECT_EQ(PrintableLines("a\x1b]0;x\x07\nb\tc"), "a?]0;x?\nb\tc");
  EXPECT_EQ(Printable("ä±"), "ä±");
}

TEST(ValidUtf8Test, ReplacesOnlyWhatIsBroken) {
  EXPECT_EQ(ValidUtf8("ok ± 機"), "ok ± 機");
  EXPECT_EQ(ValidUtf8("a\xFFz"), "a?z");
  EXPECT_EQ(ValidUtf8("cut \xE6\xA9"), "cut ?");
  EXPECT_EQ(ValidUtf8("\xC0\x80"), "?") << "overlong";
  EXPECT_EQ(ValidUtf8("\xED\xA0\x80"), "?") << "surrogate";
}

TEST(WrapTest, BreaksAtSpacesAndIndents) {
  EXPECT_EQ(Wrap("one two three", 8, 2), "one two\n  three");
  EXPECT_EQ(Wrap("one two three", 0, 2), "one two three");
  EXPECT_EQ(Wrap("unbreakable", 4, 2), "unbreakable");
}

}  // namespace
}  // namespace fleetmark
