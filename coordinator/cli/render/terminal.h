#pragma once

#include <string>
#include <string_view>

namespace fleetmark {

// What output goes to. Piped output has no width: nothing is shortened, and it gets no escape codes.
struct Terminal {
  bool is_terminal = false;
  int width = 0;   // columns; 0 when unlimited
  int height = 0;  // lines; 0 when unlimited
  bool colour = false;
};

// Of file descriptor `fd` now: by TIOCGWINSZ, by COLUMNS and LINES where the kernel does not know, else 80 x 24. No
// colour when NO_COLOR is set or TERM is "dumb".
Terminal MeasureTerminal(int fd);

enum class Style { kPlain, kBold, kDim, kGood, kBad, kWarning };

// `text` with the escape codes of `style` when the terminal has colour.
std::string Paint(std::string_view text, Style style, const Terminal& terminal);

// The style that a run's, job's or agent's state, or a verdict, is shown in.
Style StyleOfState(std::string_view state);

}  // namespace fleetmark
