#pragma once

#include <string>
#include <string_view>

namespace fleetmark::fuzz {

// Inputs for state machines are scripts: an event a line, words first, what remains is a message's text.

// With '?' for what is not ASCII: words become ids and names, and no message holds a string that is no UTF-8.
std::string Plain(std::string_view input);
// Takes the first line off `text`; without its end.
std::string_view TakeLine(std::string_view* text);
// Takes the first word off `line`, with the space behind it.
std::string_view TakeWord(std::string_view* line);
// From 0 to `most`; 0 where it is no such number.
double NumberOf(std::string_view word, double most);

}  // namespace fleetmark::fuzz
