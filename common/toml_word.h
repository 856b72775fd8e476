#pragma once

#include <toml++/toml.h>

#include <optional>
#include <string>

namespace fleetmark {

// A text, number or truth of a TOML file as the word that a flag would take; nothing for what no flag can say.
std::optional<std::string> TomlWord(const toml::node& node);

}  // namespace fleetmark
