#include "agent/worker/run_spec_json.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "agent/worker/failure.h"
#include "common/suggest.h"

namespace fleetmark {
namespace {

using nlohmann::json;

Status WrongType(const std::string& field, const char* wanted) {
  return BadParameter("the run specification's field " + field + " is not " + wanted);
}

Status ReadText(const std::string& field, const json& value, std::string* text) {
  if (!value.is_string()) return WrongType(field, "a string");
  if (!value.get<std::string>().empty()) *text = value.get<std::string>();
  return OkStatus();
}

Status ReadParameters(const json& value, std::map<std::string, std::string>* parameters) {
  if (!value.is_object()) return WrongType("parameters", "an object of strings");
  for (const auto& [name, text] : value.items()) {
    if (!text.is_string()) return WrongType("parameters." + name, "a string");
    (*parameters)[name] = text.get<std::string>();
  }
  return OkStatus();
}

Status ReadNumber(const std::string& field, const json& value, double* number) {
  if (!value.is_number()) return WrongType(field, "a number");
  *number = value.get<double>();
  return OkStatus();
}

Status ReadCeiling(const json& value, Ceiling* ceiling) {
  if (!value.is_object()) return WrongType("ceilings", "a list of objects");
  for (const auto& [name, part] : value.items()) {
    const std::string field = "ceilings." + name;
    if (name == "resource") {
      FLEETMARK_RETURN_IF_ERROR(ReadText(field, part, &ceiling->resource));
    } else if (name == "dtype") {
      FLEETMARK_RETURN_IF_ERROR(ReadText(field, part, &ceiling->dtype));
    } else if (name == "rate") {
      FLEETMARK_RETURN_IF_ERROR(ReadNumber(field, part, &ceiling->rate));
    } else if (name == "measured_unix_s") {
      FLEETMARK_RETURN_IF_ERROR(ReadNumber(field, part, &ceiling->measured_unix_s));
    } else {
      return BadParameter("a ceiling of the run specification has an unknown field \"" + name + "\"",
                          SuggestFrom(name, {"resource", "dtype", "rate", "measured_unix_s"}));
    }
  }
  return ceiling->rate > 0 ? OkStatus() : BadParameter("a ceiling of the run specification has no rate above 0");
}

Status ReadCeilings(const json& value, std::vector<Ceiling>* ceilings) {
  if (!value.is_array()) return WrongType("ceilings", "a list of objects");
  for (const json& item : value) FLEETMARK_RETURN_IF_ERROR(ReadCeiling(item, &ceilings->emplace_back()));
  return OkStatus();
}

Status ReadField(const std::string& field, const json& value, RunSpec* spec) {
  if (field == "workload") return ReadText(field, value, &spec->workload);
  if (field == "runtime") return ReadText(field, value, &spec->runtime);
  if (field == "device") return ReadText(field, value, &spec->device);
  if (field == "profile") return ReadText(field, value, &spec->profile);
  if (field == "dataset_dir") return ReadText(field, value, &spec->dataset_dir);
  if (field == "parameters") return ReadParameters(value, &spec->parameters);
  if (field == "ceilings") return ReadCeilings(value, &spec->ceilings);
  if (field == "workload_version") {
    if (!value.is_number_integer() || value < 0 || value > std::numeric_limits<int>::max()) {
      return WrongType(field, "a whole number");
    }
    spec->workload_version = value.get<int>();
    return OkStatus();
  }
  return BadParameter("the run specification has an unknown field \"" + field + "\"",
                      SuggestFrom(field, {"workload", "workload_version", "runtime", "device", "profile", "parameters",
                                          "dataset_dir", "ceilings"}));
}

}  // namespace

StatusOr<RunSpec> ParseRunSpec(std::string_view text) {
  const json document = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!document.is_object()) {
    return BadParameter("the run specification on standard input is not a JSON object",
                        "give a RunSpec of run.proto as JSON, or name a workload: fleetmark-worker run WORKLOAD");
  }
  RunSpec spec;
  for (const auto& [field, value] : document.items()) FLEETMARK_RETURN_IF_ERROR(ReadField(field, value, &spec));
  if (spec.workload.empty()) return BadParameter("the run specification names no workload");
  return spec;
}

}  // namespace fleetmark
