#include "agent/worker/parameters.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cmath>
#include <utility>

#include "agent/worker/failure.h"
#include "common/suggest.h"

namespace fleetmark {
namespace {

// "256 to 32768 steps"; one side alone where the other is open.
std::string Bounds(const ParameterSpec& spec) {
  std::string text;
  if (spec.min && spec.max) {
    text = "from " + CanonicalDouble(*spec.min) + " to " + CanonicalDouble(*spec.max);
  } else if (spec.min) {
    text = "at least " + CanonicalDouble(*spec.min);
  } else if (spec.max) {
    text = "at most " + CanonicalDouble(*spec.max);
  } else {
    text = "any number";
  }
  return spec.unit.empty() ? text : text + " " + spec.unit;
}

Status WrongType(const ParameterSpec& spec, const std::string& text) {
  const std::string wanted = spec.type == "int" ? "a whole number" : "a number";
  return BadParameter("parameter " + spec.name + " is \"" + text + "\", which is not " + wanted,
                      "give " + spec.name + "=N, " + Bounds(spec));
}

// Reads all of `text` as a Number.
template <typename Number>
bool Read(const std::string& text, Number* number) {
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, *number);
  return error == std::errc() && stopped == end;
}

StatusOr<std::string> Canonical(const ParameterSpec& spec, const std::string& text) {
  if (spec.type == "choice") {
    if (std::find(spec.choices.begin(), spec.choices.end(), text) != spec.choices.end()) return text;
    return BadParameter("parameter " + spec.name + " cannot be \"" + text + "\"", SuggestFrom(text, spec.choices));
  }
  double value = 0;
  std::string canonical;
  if (spec.type == "int") {
    int64_t whole = 0;
    if (!Read(text, &whole)) return WrongType(spec, text);
    value = static_cast<double>(whole);
    canonical = std::to_string(whole);
  } else {
    if (!Read(text, &value) || !std::isfinite(value)) return WrongType(spec, text);
    canonical = CanonicalDouble(value);
  }
  if ((spec.min && value < *spec.min) || (spec.max && value > *spec.max)) {
    return BadParameter("parameter " + spec.name + " is " + canonical + ", which is out of bounds",
                        "it may be " + Bounds(spec));
  }
  return canonical;
}

}  // namespace

std::string CanonicalDouble(double value) {
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof(buffer), value);
  assert(error == std::errc());
  return std::string(buffer, end);
}

StatusOr<Parameters> Parameters::Parse(const std::vector<ParameterSpec>& specs,
                                       const std::map<std::string, std::string>& given) {
  Parameters parameters;
  std::vector<std::string> names;
  for (const ParameterSpec& spec : specs) {
    names.push_back(spec.name);
    const auto found = given.find(spec.name);
    FLEETMARK_ASSIGN_OR_RETURN(parameters.values_[spec.name],
                               Canonical(spec, found == given.end() ? spec.default_value : found->second));
  }
  for (const auto& [name, value] : given) {
    if (!parameters.Has(name)) {
      return BadParameter("this workload has no parameter \"" + name + "\"", SuggestFrom(name, names));
    }
  }
  return parameters;
}

int64_t Parameters::Int(std::string_view name) const {
  int64_t value = 0;
  const bool is_int = Read(Text(name), &value);
  assert(is_int);
  (void)is_int;
  return value;
}

double Parameters::Double(std::string_view name) const {
  double value = 0;
  const bool is_double = Read(Text(name), &value);
  assert(is_double);
  (void)is_double;
  return value;
}

const std::string& Parameters::Text(std::string_view name) const { return values_.at(std::string(name)); }

void Parameters::Set(std::string_view name, std::string value) { values_.at(std::string(name)) = std::move(value); }

}  // namespace fleetmark
