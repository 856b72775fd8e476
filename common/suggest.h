#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fleetmark {

// The candidate nearest to `word` by edit distance, or "" when none is near enough to be a misspelling of it.
std::string Nearest(std::string_view word, const std::vector<std::string>& candidates);

// "did you mean X?" when there is a near one, else "known: A, B, C"; for hints.
std::string SuggestFrom(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace fleetmark
