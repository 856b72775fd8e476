#include "common/run_spec.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <vector>

#include "common/sha256.h"
#include "common/suggest.h"
#include "common/vocabulary.h"

namespace fleetmark {
namespace {

template <typename T>
std::string TextOf(T value) {
  std::array<char, 64> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return std::string(text.data(), end);
}

Status Wrong(const v1::ParameterSpec& spec, const std::string& value, const std::string& what) {
  return InvalidArgument("parameter " + spec.name() + "=" + value + " " + what,
                         spec.name() + ": " + spec.doc() + " (default " + spec.default_value() + ")", "bad_parameter");
}

Status CheckBounds(const v1::ParameterSpec& spec, const std::string& value, double number) {
  if ((spec.has_min() && number < spec.min()) || (spec.has_max() && number > spec.max())) {
    const std::string bounds = spec.has_min() && spec.has_max()
                                   ? "from " + TextOf(spec.min()) + " to " + TextOf(spec.max())
                               : spec.has_min() ? "at least " + TextOf(spec.min())
                                                : "at most " + TextOf(spec.max());
    return Wrong(spec, value, "is out of bounds: it must be " + bounds);
  }
  return OkStatus();
}

template <typename T>
StatusOr<std::string> CanonicalNumber(const v1::ParameterSpec& spec, const std::string& value, const char* kind) {
  T number{};
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size() || !std::isfinite(static_cast<double>(number))) {
    return Wrong(spec, value, std::string("is not ") + kind);
  }
  FLEETMARK_RETURN_IF_ERROR(CheckBounds(spec, value, static_cast<double>(number)));
  return TextOf(number);
}

StatusOr<std::string> Canonical(const v1::ParameterSpec& spec, const std::string& value) {
  if (spec.type() == "int") return CanonicalNumber<int64_t>(spec, value, "a whole number");
  if (spec.type() == "double") return CanonicalNumber<double>(spec, value, "a number");
  if (spec.type() == "bool") {
    if (value == "true" || value == "false") return value;
    return Wrong(spec, value, "is neither true nor false");
  }
  const std::vector<std::string> choices(spec.choices().begin(), spec.choices().end());
  if (std::find(choices.begin(), choices.end(), value) != choices.end()) return value;
  return InvalidArgument("parameter " + spec.name() + "=" + value + " is not one of its choices",
                         SuggestFrom(value, choices), "bad_parameter");
}

// "n=12288 variant=torchscript"
std::string JoinPairs(const std::map<std::string, std::string>& values) {
  std::string text;
  for (const auto& [name, value] : values) text += (text.empty() ? "" : " ") + name + "=" + value;
  return text;
}

}  // namespace

StatusOr<std::map<std::string, std::string>> CheckParameters(const v1::WorkloadSpec& workload,
                                                             const std::map<std::string, std::string>& parameters) {
  std::map<std::string, std::string> checked;
  for (const auto& [name, value] : parameters) {
    const auto found = std::find_if(workload.parameters().begin(), workload.parameters().end(),
                                    [&name = name](const v1::ParameterSpec& spec) { return spec.name() == name; });
    if (found == workload.parameters().end()) {
      std::vector<std::string> names;
      for (const auto& spec : workload.parameters()) names.push_back(spec.name());
      return InvalidArgument("workload " + workload.name() + " has no parameter " + name, SuggestFrom(name, names),
                             "bad_parameter");
    }
    FLEETMARK_ASSIGN_OR_RETURN(checked[name], Canonical(*found, value));
  }
  return checked;
}

StatusOr<std::map<std::string, std::string>> CheckBoardParameters(
    const v1::WorkloadSpec& workload, const std::map<std::string, std::string>& parameters) {
  FLEETMARK_ASSIGN_OR_RETURN(auto checked, CheckParameters(workload, parameters));
  for (const v1::ParameterSpec& spec : workload.parameters()) {
    if (!spec.defines_board() && checked.contains(spec.name())) {
      return InvalidArgument("parameter " + spec.name() + " does not define a board of " + workload.name(),
                             "choose runs by it with `fleetmark runs --set " + spec.name() + "=...`", "bad_parameter");
    }
  }
  return checked;
}

StatusOr<std::map<std::string, std::string>> CheckTunableSettings(const v1::WorkloadSpec& workload,
                                                                  const std::map<std::string, std::string>& settings) {
  FLEETMARK_ASSIGN_OR_RETURN(auto checked, CheckParameters(workload, settings));
  for (const v1::ParameterSpec& spec : workload.parameters()) {
    if (!spec.tunable() && checked.contains(spec.name())) {
      return InvalidArgument(
          "parameter " + spec.name() + " of " + workload.name() + " is not tunable: no profile sets it", "",
          "bad_parameter");
    }
  }
  return checked;
}

Status CheckAgentName(const std::string& name) {
  constexpr size_t kLongest = 64;
  const bool is_word = !name.empty() && name.size() <= kLongest && std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_';
  });
  if (is_word && name != "all" && name != "any") return OkStatus();
  return InvalidArgument("an agent cannot be named \"" + name + "\"",
                         "take up to 64 letters, digits, dots, dashes and underscores, and not \"all\" or \"any\"",
                         "bad_name");
}

std::map<std::string, std::string> BoardParameters(const v1::WorkloadSpec& workload,
                                                   const std::map<std::string, std::string>& parameters) {
  std::map<std::string, std::string> values;
  for (const v1::ParameterSpec& spec : workload.parameters()) {
    if (!spec.defines_board()) continue;
    const auto found = parameters.find(spec.name());
    values[spec.name()] = found == parameters.end() ? spec.default_value() : found->second;
  }
  return values;
}

std::string BoardKey(const v1::WorkloadSpec& workload, const std::map<std::string, std::string>& parameters) {
  return JoinPairs(BoardParameters(workload, parameters));
}

std::string OverridesKey(const v1::WorkloadSpec& workload, const std::string& profile,
                         const std::map<std::string, std::string>& parameters) {
  std::map<std::string, std::string> values;
  for (const v1::ParameterSpec& spec : workload.parameters()) {
    const auto found = parameters.find(spec.name());
    if (!spec.tunable() || found == parameters.end()) continue;
    if (profile != kStockProfile || found->second != spec.default_value()) values.insert(*found);
  }
  return JoinPairs(values);
}

std::string DeterministicBytes(const google::protobuf::Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

std::string SpecSha256(const v1::RunSpec& spec) {
  v1::RunSpec hashed = spec;
  hashed.clear_dataset_dir();
  hashed.clear_ceilings();
  return Sha256Hex(DeterministicBytes(hashed));
}

}  // namespace fleetmark
