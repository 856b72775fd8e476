#include "common/toml_word.h"

#include <array>
#include <charconv>

namespace fleetmark {

std::optional<std::string> TomlWord(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* truth = node.as_boolean()) return truth->get() ? "true" : "false";
  if (const auto* number = node.as_floating_point()) {
    std::array<char, 32> digits{};  // the shortest that reads back as the same
    return std::string(digits.data(), std::to_chars(digits.begin(), digits.end(), number->get()).ptr);
  }
  return std::nullopt;
}

}  // namespace fleetmark
