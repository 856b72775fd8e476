#include "common/settings.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "common/overloaded.h"
#include "common/suggest.h"
#include "common/toml_word.h"

namespace fleetmark {
namespace {

std::string EnvironmentName(const std::string& name) {
  std::string text = "FLEETMARK_" + name;
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return c == '-' ? '_' : static_cast<char>(std::toupper(c)); });
  return text;
}

std::vector<std::string> SplitAtCommas(const std::string& text) {
  std::vector<std::string> words;
  std::istringstream stream(text);
  for (std::string word; std::getline(stream, word, ',');) words.push_back(word);
  return words;
}

template <typename T>
bool ParseNumber(const std::string& word, T* value) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), *value);
  return error == std::errc() && end == word.data() + word.size();
}

// One value of a file as the words that the same flag would take; nothing for what no flag can say.
std::optional<std::vector<std::string>> WordsOf(const toml::node& node) {
  std::vector<std::string> words;
  bool is_sayable = true;
  const auto add = [&](const std::string& prefix, const toml::node& value) {
    const std::optional<std::string> word = TomlWord(value);
    is_sayable = is_sayable && word;
    words.push_back(prefix + word.value_or(""));
  };
  if (const auto* array = node.as_array()) {
    for (const toml::node& element : *array) add("", element);
  } else if (const auto* table = node.as_table()) {
    for (const auto& [key, value] : *table) add(std::string(key.str()) + "=", value);
  } else {
    add("", node);
  }
  return is_sayable ? std::optional(words) : std::nullopt;
}

}  // namespace

void Settings::Add(const std::string& name, std::string* value, const std::string& doc) {
  settings_.push_back({name, value, doc, {}, false});
}
void Settings::Add(const std::string& name, int* value, const std::string& doc) {
  settings_.push_back({name, value, doc, {}, false});
}
void Settings::Add(const std::string& name, double* value, const std::string& doc) {
  settings_.push_back({name, value, doc, {}, false});
}
void Settings::Add(const std::string& name, bool* value, const std::string& doc) {
  settings_.push_back({name, value, doc, {}, false});
}
void Settings::Add(const std::string& name, std::vector<std::string>* value, const std::string& doc) {
  settings_.push_back({name, value, doc, {}, false});
}
void Settings::Add(const std::string& name, std::map<std::string, std::string>* value, const std::string& doc) {
  settings_.push_back({name, value, doc, {}, false});
}

void Settings::AddTo(CLI::App* app) {
  for (Setting& setting : settings_) {
    const auto take = [&setting](const CLI::results_t& words) {
      setting.given = words;
      setting.is_given = true;
      return true;
    };
    const std::string doc = setting.doc + " [" + EnvironmentName(setting.name) + "]";
    if (std::holds_alternative<bool*>(setting.target)) {
      app->add_flag_callback(
          "--" + setting.name, [take] { take({"true"}); }, doc);
      continue;
    }
    const bool is_map = std::holds_alternative<std::map<std::string, std::string>*>(setting.target);
    const bool is_many = is_map || std::holds_alternative<std::vector<std::string>*>(setting.target);
    CLI::Option* option = app->add_option("--" + setting.name, take, doc)->type_name(is_map ? "KEY=VALUE" : "VALUE");
    // One word a flag: without this a list would swallow the positional arguments behind it.
    if (is_many) option->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    std::visit(Overloaded{[&](const std::string* value) {
                            if (!value->empty()) option->default_str(*value);
                          },
                          [&](const int* value) { option->default_str(std::to_string(*value)); },
                          [&](const double* value) {
                            std::ostringstream text;
                            text << *value;
                            option->default_str(text.str());
                          },
                          [](const auto*) {}},
               setting.target);
  }
  app->add_option("--config", config_file_, "File with settings in TOML, named as these flags [FLEETMARK_CONFIG]")
      ->type_name("FILE");
}

Status Settings::Assign(const Setting& setting, const std::vector<std::string>& words, const std::string& place) {
  const auto one = words.empty() ? std::string() : words.back();
  const auto wrong = [&](const char* what) {
    return InvalidArgument(place + ": \"" + one + "\" is not " + what, "see --help for --" + setting.name);
  };
  return std::visit(
      Overloaded{[&](std::string* value) {
                   *value = one;
                   return OkStatus();
                 },
                 [&](int* value) { return ParseNumber(one, value) ? OkStatus() : wrong("a whole number"); },
                 [&](double* value) { return ParseNumber(one, value) ? OkStatus() : wrong("a number"); },
                 [&](bool* value) {
                   *value = one == "true" || one == "1";
                   return *value || one == "false" || one == "0" ? OkStatus() : wrong("true or false");
                 },
                 [&](std::vector<std::string>* value) {
                   *value = words;
                   return OkStatus();
                 },
                 [&](std::map<std::string, std::string>* value) {
                   value->clear();
                   for (const std::string& word : words) {
                     const size_t equals = word.find('=');
                     if (equals == std::string::npos || equals == 0) {
                       return InvalidArgument(place + ": \"" + word + "\" is not KEY=VALUE");
                     }
                     (*value)[word.substr(0, equals)] = word.substr(equals + 1);
                   }
                   return OkStatus();
                 }},
      setting.target);
}

Status Settings::Resolve() {
  if (config_file_.empty()) {
    if (const char* file = std::getenv("FLEETMARK_CONFIG")) config_file_ = file;
  }
  if (config_file_.empty() && std::filesystem::exists(default_file_)) config_file_ = default_file_;
  if (!config_file_.empty()) FLEETMARK_RETURN_IF_ERROR(ResolveFile());
  for (const Setting& setting : settings_) {
    const std::string variable = EnvironmentName(setting.name);
    if (setting.is_given) {
      FLEETMARK_RETURN_IF_ERROR(Assign(setting, setting.given, "--" + setting.name));
    } else if (const char* text = std::getenv(variable.c_str())) {
      const bool is_many = std::holds_alternative<std::vector<std::string>*>(setting.target) ||
                           std::holds_alternative<std::map<std::string, std::string>*>(setting.target);
      FLEETMARK_RETURN_IF_ERROR(
          Assign(setting, is_many ? SplitAtCommas(text) : std::vector<std::string>{text}, variable));
    }
  }
  return OkStatus();
}

Status Settings::ResolveFile() {
  toml::table table;
  try {
    table = toml::parse_file(config_file_);
  } catch (const toml::parse_error& error) {
    return InvalidArgument(
        config_file_ + ":" + std::to_string(error.source().begin.line) + ": " + std::string(error.description()),
        "the file is TOML, for example: listen = \"127.0.0.1:7800\"");
  }
  std::vector<std::string> names;
  for (const Setting& setting : settings_) names.push_back(setting.name);
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    const std::string place = config_file_ + ":" + std::to_string(key.source().begin.line);
    const auto found =
        std::find_if(settings_.begin(), settings_.end(), [&](const Setting& setting) { return setting.name == name; });
    if (found == settings_.end()) {
      return InvalidArgument(place + ": there is no setting \"" + name + "\"", SuggestFrom(name, names));
    }
    const std::optional<std::vector<std::string>> words = WordsOf(node);
    if (!words) {
      return InvalidArgument(place + ": " + name + " has a value that is not a text, number, list or table of those");
    }
    FLEETMARK_RETURN_IF_ERROR(Assign(*found, *words, place + ": " + name));
  }
  return OkStatus();
}

}  // namespace fleetmark
