#pragma once

#include <string>
#include <string_view>

namespace fleetmark {

// Spaces between columns.
inline constexpr int kColumnGap = 2;

// Columns that UTF-8 `text` takes: 2 for East Asian wide characters and emoji, 0 for combining marks and for
// what Paint adds.
int DisplayWidth(std::string_view text);

// `text`, cut to at most `width` columns, the last of them an ellipsis when something was cut.
std::string Shorten(std::string_view text, int width);

// `text` with line breaks turned into spaces and other control characters into "?", so that what came from elsewhere
// cannot steer the terminal.
std::string Printable(std::string_view text);

// The same for text of several lines: line breaks and tabs stay.
std::string PrintableLines(std::string_view text);

// `text` with every byte that is not part of well-formed UTF-8 replaced by "?", as proto strings need it.
std::string ValidUtf8(std::string_view text);

// `text` broken at spaces into lines of at most `width` columns (0: not broken), the lines after the first indented by
// `indent` spaces that count. No line break at the end.
std::string Wrap(std::string_view text, int width, int indent);

}  // namespace fleetmark
